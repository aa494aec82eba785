//! Draws the pictures of README and book anew, from real screens: `cargo run -p backstory-tui --example pictures`.

#[path = "../tests/canned/mod.rs"]
mod canned;
#[path = "../tests/pictures/mod.rs"]
mod pictures;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    std::fs::create_dir_all(&folder)?;
    for (name, svg) in pictures::all() {
        std::fs::write(folder.join(name), svg)?;
        println!("docs/pictures/{name}");
    }
    Ok(())
}
