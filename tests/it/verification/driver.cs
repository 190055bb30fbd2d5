// Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

public static class Driver
{
    static readonly Action<byte[], Func<string, string>, IEnumerable<string>>[] Variants = {
        /*variants*/
    };

    static IEnumerable<string> List(string field)
    {
        var items = field.Split(';');
        return items.Take(items.Length - 1);
    }

    static string Answer(string line)
    {
        var fields = line.Split('\t');
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var header in List(fields[1]))
        {
            var pair = header.Split(':');
            var value = Convert.FromBase64String(pair[1]);
            headers[pair[0]] = Encoding.GetEncoding("iso-8859-1").GetString(value);
        }
        var secrets = List(fields[2]).Select(it => Encoding.UTF8.GetString(Convert.FromBase64String(it)));
        Func<string, string> header_of = name => headers.ContainsKey(name) ? headers[name] : "";
        try
        {
            var body = Convert.FromBase64String(fields[3]);
            Variants[int.Parse(fields[0])](body, header_of, secrets.ToArray());
            return "ok";
        }
        catch (Exception error)
        {
            var isRefusal = error.GetType() == typeof(CryptographicException);
            return isRefusal ? error.Message : "crash: " + error.Message;
        }
    }

    public static void Main()
    {
        for (var line = Console.ReadLine(); line != null; line = Console.ReadLine())
            Console.WriteLine(Answer(line));
    }
}
