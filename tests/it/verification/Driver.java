// Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.SignatureException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

public final class Driver {
    interface Verify {
        void verify(byte[] body, UnaryOperator<String> header, List<String> secrets)
                throws Exception;
    }

    static final Verify[] VARIANTS = {
        /*variants*/
    };

    static String text(String field, Charset charset) {
        return new String(Base64.getDecoder().decode(field), charset);
    }

    static List<String> list(String field) {
        List<String> items = new ArrayList<>(List.of(field.split(";", -1)));
        items.remove(items.size() - 1);
        return items;
    }

    static String answer(String line) {
        String[] fields = line.split("\t", -1);
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String header : list(fields[1])) {
            String[] pair = header.split(":", -1);
            headers.put(pair[0], text(pair[1], StandardCharsets.ISO_8859_1));
        }
        List<String> secrets = new ArrayList<>();
        for (String secret : list(fields[2])) {
            secrets.add(text(secret, StandardCharsets.UTF_8));
        }
        byte[] body = Base64.getDecoder().decode(fields[3]);
        try {
            VARIANTS[Integer.parseInt(fields[0])].verify(body, headers::get, secrets);
            return "ok";
        } catch (SignatureException error) {
            return error.getMessage();
        } catch (Exception error) {
            return "crash: " + error;
        }
    }

    public static void main(String[] arguments) throws Exception {
        InputStreamReader in = new InputStreamReader(System.in, StandardCharsets.US_ASCII);
        StringBuilder out = new StringBuilder();
        new BufferedReader(in).lines().forEach(line -> out.append(answer(line)).append('\n'));
        System.out.print(out);
    }
}
