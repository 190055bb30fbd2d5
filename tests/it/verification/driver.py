# Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
import base64
import importlib
import sys

variants = [importlib.import_module(f"v{n}.webhook").verify for n in range(int(sys.argv[1]))]

for line in sys.stdin:
    variant, headers, secrets, body = line.rstrip("\n").split("\t")
    pairs = [it.split(":") for it in headers.split(";")[:-1]]
    headers = {name: base64.b64decode(value).decode("latin-1") for name, value in pairs}
    secrets = [base64.b64decode(it).decode() for it in secrets.split(";")[:-1]]
    try:
        variants[int(variant)](base64.b64decode(body), headers, secrets)
        print("ok")
    except ValueError as error:
        print(error if type(error) is ValueError else f"crash: {error}")
