# Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
variants = Array.new(Integer(ARGV[0])) do |n|
  space = Module.new
  load("#{__dir__}/v#{n}/webhook.rb", space)
  space::Webhook
end

$stdin.each_line(chomp: true) do |line|
  variant, headers, secrets, body = line.split("\t", -1)
  # As Rack names and encodes them.
  env = headers.split(";").to_h do |header|
    name, value = header.split(":", 2)
    ["HTTP_" + name.upcase.tr("-", "_"), value.unpack1("m0")]
  end
  secrets = secrets.split(";", -1)[0..-2].map { |it| it.unpack1("m0").force_encoding("UTF-8") }
  webhook = variants[Integer(variant)]
  begin
    webhook.verify(body.unpack1("m0"), env, secrets)
    puts "ok"
  rescue webhook::Invalid => error
    puts error.message
  rescue StandardError => error
    puts "crash: #{error}"
  end
end
