//! `backstory verify`: the journal's every block, and the index against it; or a bundle.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use journal::Reader;
use query::bundle::Bundle;
use query::export::sanitise;

use crate::cli::Verify;
use crate::command::folder;
use crate::config::Source;
use crate::progress::Progress;

/// Checks; exit status 1 where anything is wrong.
pub(crate) fn run(
    verify: &Verify,
    source: impl FnOnce() -> anyhow::Result<Source>,
) -> anyhow::Result<ExitCode> {
    match &verify.file {
        Some(file) => bundle(file),
        None => match source()? {
            Source::Bundle(file) => bundle(&file),
            source => data(folder(&source, "verify")?),
        },
    }
}

/// Checks a bundle.
fn bundle(file: &Path) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (damages, whole) = Bundle::verify(&bytes);
    for damage in &damages {
        println!("{}: {}", file.display(), sanitise(damage));
    }
    println!("bundle: {} bytes, {whole} whole records; {} faults", bytes.len(), damages.len());
    Ok(if damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Checks a folder of data.
fn data(folder: &Path) -> anyhow::Result<ExitCode> {
    let journal = crate::source::journal_of(folder)?;
    let reader = Reader::open(&journal).with_context(|| format!("{} cannot be read", journal.display()))?;
    let bar = Progress::new("checking the journal");
    let verified = reader.verify(|done, total| bar.set(done as f64 / total.max(1) as f64))?;
    bar.finish();
    for damage in &verified.damages {
        println!("journal: {damage}");
    }
    let bar = Progress::new("comparing the index");
    let differences = indexer::verify(folder, &mut |share| bar.set(share))?;
    bar.finish();
    for difference in &differences {
        println!("index: {difference}");
    }
    println!(
        "journal: {} segments, {} blocks, {} requests, {} items; {} damaged places; {} differences in the index",
        verified.segments,
        verified.blocks,
        verified.frames,
        verified.items,
        verified.damages.len(),
        differences.len()
    );
    if !differences.is_empty() {
        eprintln!("backstory: `backstory reindex` makes the index anew from the journal");
    }
    let sound = verified.damages.is_empty() && differences.is_empty();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
