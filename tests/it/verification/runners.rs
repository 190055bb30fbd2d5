//! Builds one program per language out of the code of every variant and a driver, below
//! `target/tmp/verification`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use posthorn::embed::connections::verification::Language;

/// A program that answers vectors, or why there is none.
pub type Built = Result<Command, &'static str>;

/// Builds the program for these variants.
pub fn build(language: Language, variants: &[String]) -> Built {
    let folder = folder(language);
    if let Some(lacking) = lacking(language) {
        return Err(lacking);
    }
    let program = Program { language, folder, variants };
    Ok(match language {
        Language::Node => program.interpreted("node", include_str!("driver.mjs"), "driver.mjs"),
        Language::Python => program.interpreted("python3", include_str!("driver.py"), "driver.py"),
        Language::Ruby => program.interpreted("ruby", include_str!("driver.rb"), "driver.rb"),
        Language::Php => program.interpreted("php", include_str!("driver.php"), "driver.php"),
        Language::Go => program.go(),
        Language::Java => program.java(),
        Language::CSharp if answers_to(&["dotnet", "--version"]) => program.dotnet(),
        Language::CSharp => program.mono(),
        Language::Rust => program.rust(),
    })
}

fn folder(language: Language) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("verification").join(language.id())
}

/// What is not installed, if the language cannot be run as the code wants it. Each tool is asked
/// for what it has since the version that the code names: an older one is as good as none.
fn lacking(language: Language) -> Option<&'static str> {
    let dotnet: &[&str] = &["dotnet", "--version"];
    let (probes, lacking): (&[&[&str]], _) = match language {
        Language::Node => (&[&["node", "--version"]], "Node.js is not installed"),
        Language::Python => {
            let probe = &["python3", "-c", "import sys; sys.exit(sys.version_info < (3, 8))"];
            (&[probe], "Python 3.8 is not installed")
        }
        Language::Go => (&[&["go", "version"]], "Go is not installed"),
        Language::Ruby => {
            let probe = &["ruby", "-ropenssl", "-e", "OpenSSL.method(:secure_compare)"];
            (&[probe], "Ruby 3.0 is not installed")
        }
        Language::Php => {
            let probe = &["php", "-r", "exit(PHP_VERSION_ID < 80000 ? 1 : 0);"];
            (&[probe], "PHP 8 is not installed")
        }
        Language::Java => {
            let probe = &["javac", "--release", "17", "-version"];
            (&[probe, &["java", "-version"]], "a JDK 17 is not installed")
        }
        Language::CSharp if answers_to(dotnet) => return None,
        Language::CSharp => {
            let probes = &[&["mcs", "--version"] as &[_], &["mono", "--version"]];
            (probes, "neither dotnet nor mono is installed")
        }
        Language::Rust => return None,
    };
    (!probes.iter().all(|probe| answers_to(probe))).then_some(lacking)
}

fn answers_to(probe: &[&str]) -> bool {
    let done = Command::new(probe[0]).args(&probe[1..]).stdin(Stdio::null()).output();
    done.is_ok_and(|done| done.status.success())
}

struct Program<'a> {
    language: Language,
    folder: PathBuf,
    variants: &'a [String],
}

impl Program<'_> {
    /// Writes a file unless it is there as it is, so that builds know what is new.
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return;
        }
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    /// Writes each variant as `v<n>/<file name>`, in the form that `shape` gives it.
    fn write_variants(&self, shape: impl Fn(usize, &str) -> String) {
        for (n, code) in self.variants.iter().enumerate() {
            self.write(&format!("v{n}/{}", self.language.file_name()), &shape(n, code));
        }
    }

    /// One line for each variant.
    fn list(&self, line: impl Fn(usize) -> String) -> String {
        (0..self.variants.len()).map(line).collect::<Vec<_>>().join("\n")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        command
    }

    fn run(&self, mut command: Command) {
        let done = command.stdin(Stdio::null()).output().expect("started");
        let (out, err) = (&done.stdout, &done.stderr);
        let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        assert!(done.status.success(), "{command:?}\n{out}\n{err}");
        // A customer's compiler has nothing to say about the code either.
        assert!(!err.contains("warning"), "{command:?}\n{err}");
    }

    fn interpreted(&self, interpreter: &str, driver: &str, name: &str) -> Command {
        self.write(name, driver);
        self.write_variants(|n, code| match self.language {
            // Functions of one name need a namespace each.
            Language::Php => code.replacen("<?php\n", &format!("<?php\nnamespace v{n};\n"), 1),
            _ => code.to_owned(),
        });
        let mut command = self.command(interpreter);
        command.arg(name).arg(self.variants.len().to_string());
        command
    }

    fn go(&self) -> Command {
        let imports = self.list(|n| format!("v{n} \"verification/v{n}\""));
        let variants = self.list(|n| format!("v{n}.Verify,"));
        let driver = include_str!("driver.go").replace("/*imports*/", &imports);
        self.write("go.mod", "module verification\n\ngo 1.18\n");
        self.write("driver.go", &driver.replace("/*variants*/", &variants));
        self.write_variants(|_, code| code.to_owned());
        let mut build = self.command("go");
        build.args(["build", "-o", "driver", "."]).env("GOFLAGS", "-mod=mod");
        build.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
        self.run(build);
        self.command(self.folder.join("driver"))
    }

    fn java(&self) -> Command {
        let variants = self.list(|n| format!("v{n}.Webhook::verify,"));
        self.write("Driver.java", &include_str!("Driver.java").replace("/*variants*/", &variants));
        self.write_variants(|n, code| format!("package v{n};\n{code}"));
        let mut build = self.command("javac");
        build.args(["-d", "classes", "-Xlint:all", "-encoding", "UTF-8", "Driver.java"]);
        build.args((0..self.variants.len()).map(|n| format!("v{n}/Webhook.java")));
        self.run(build);
        let mut command = self.command("java");
        command.args(["-cp", "classes", "Driver"]);
        command
    }

    fn write_csharp(&self) {
        let variants = self.list(|n| format!("V{n}.Webhook.Verify,"));
        self.write("driver.cs", &include_str!("driver.cs").replace("/*variants*/", &variants));
        self.write_variants(|n, code| format!("namespace V{n}\n{{\n{code}\n}}\n"));
    }

    fn mono(&self) -> Command {
        self.write_csharp();
        let mut build = self.command("mcs");
        build.args(["-out:driver.exe", "driver.cs"]);
        build.args((0..self.variants.len()).map(|n| format!("v{n}/Webhook.cs")));
        self.run(build);
        let mut command = self.command("mono");
        command.arg("driver.exe");
        command
    }

    fn dotnet(&self) -> Command {
        self.write_csharp();
        self.write("driver.csproj", include_str!("driver.csproj"));
        let mut build = self.command("dotnet");
        build.args(["build", "--nologo", "-v", "quiet", "-o", "out"]);
        self.run(build);
        let mut command = self.command("dotnet");
        command.arg("out/driver.dll");
        command
    }

    fn rust(&self) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = self.list(|n| format!("#[path = \"../v{n}/webhook.rs\"]\nmod v{n};"));
        let variants = self.list(|n| format!("v{n}::verify,"));
        let driver = include_str!("driver.rs").replace("/*modules*/", &modules);
        self.write("src/main.rs", &driver.replace("/*variants*/", &variants));
        self.write("Cargo.toml", include_str!("driver.toml"));
        // The product's own versions, which are on this machine; Cargo drops what is not needed.
        let lock = fs::read_to_string(root.join("Cargo.lock")).expect("a lock file");
        self.write("Cargo.lock", &lock);
        self.write_variants(|_, code| code.to_owned());
        let mut build = self.command(env!("CARGO"));
        build.args(["build", "--quiet", "--offline", "--target-dir", "target"]);
        self.run(build);
        self.command(self.folder.join("target/debug/driver"))
    }
}

/// Runs the program on these lines and gives its own.
pub fn answers(mut program: Command, lines: &str) -> Vec<String> {
    let piped = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    // Drivers answer while they read: both pipes must flow.
    let done = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(lines.as_bytes()));
        child.wait_with_output().expect("ended")
    });
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && err.is_empty(), "{program:?}: {}\n{err}", done.status);
    String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect()
}
