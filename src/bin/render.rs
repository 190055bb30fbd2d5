//! Renders the reference of the API into `public/`, as `npm run build` does: the page at `/docs`, a
//! page for each problem, `llms.txt`, the page at `/`, and the OpenAPI document.

use std::path::Path;
use std::{fs, io};

use posthorn::api_reference;

fn main() -> io::Result<()> {
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("public");
    let reference = api_reference().map_err(io::Error::other)?;
    for (path, text) in reference.files() {
        let path = public.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}
