// Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	/*imports*/
)

var variants = []func([]byte, http.Header, []string) error{
	/*variants*/
}

func text(field string) string {
	bytes, err := base64.StdEncoding.DecodeString(field)
	if err != nil {
		panic(err)
	}
	return string(bytes)
}

func list(field string) []string {
	items := strings.Split(field, ";")
	return items[:len(items)-1]
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, line := range strings.Split(strings.TrimRight(string(input), "\n"), "\n") {
		fields := strings.Split(line, "\t")
		headers := http.Header{}
		for _, header := range list(fields[1]) {
			name, value, _ := strings.Cut(header, ":")
			headers.Add(name, text(value))
		}
		secrets := []string{}
		for _, secret := range list(fields[2]) {
			secrets = append(secrets, text(secret))
		}
		variant, err := strconv.Atoi(fields[0])
		if err != nil {
			panic(err)
		}
		if err := variants[variant]([]byte(text(fields[3])), headers, secrets); err != nil {
			fmt.Fprintln(out, err)
		} else {
			fmt.Fprintln(out, "ok")
		}
	}
}
