//! The pictures in the book are those that the program draws now.

mod canned;
#[path = "pictures/mod.rs"]
mod drawn;

use std::path::Path;

#[test]
fn the_pictures_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    for (name, svg) in drawn::all() {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            kept == svg,
            "docs/pictures/{name} is stale: run `cargo run -p backstory-tui --example pictures`"
        );
    }
}
