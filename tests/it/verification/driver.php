<?php
// Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
error_reporting(E_ALL);
set_error_handler(function ($level, $message) {
    throw new ErrorException($message);
});
for ($n = 0; $n < (int) $argv[1]; $n++) {
    require __DIR__ . "/v$n/webhook.php";
}

while (($line = fgets(STDIN)) !== false) {
    [$variant, $headers, $secrets, $body] = explode("\t", rtrim($line, "\n"));
    $named = [];
    foreach (array_slice(explode(';', $headers), 0, -1) as $header) {
        [$name, $value] = explode(':', $header);
        $named[$name] = base64_decode($value);
    }
    $secrets = array_map('base64_decode', array_slice(explode(';', $secrets), 0, -1));
    try {
        ("v$variant\\verify_webhook")(base64_decode($body), $named, $secrets);
        echo "ok\n";
    } catch (Throwable $error) {
        $is_refusal = get_class($error) === RuntimeException::class;
        echo $is_refusal ? '' : 'crash: ', $error->getMessage(), "\n";
    }
}
