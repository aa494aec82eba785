//! `backstory reindex`: the index, made anew from the journal.

use crate::command::folder;
use crate::config::Source;
use crate::progress::Progress;

/// Makes it, the newest first; a server on the folder goes on meanwhile.
pub(crate) fn run(source: &Source) -> anyhow::Result<()> {
    let folder = folder(source, "reindex")?;
    crate::source::journal_of(folder)?;
    let bar = Progress::new("indexing");
    indexer::reindex(folder, &mut |share| bar.set(share))?;
    bar.finish();
    eprintln!("backstory: the index in {} is made anew", folder.display());
    Ok(())
}
