//! `backstory demo`: demo services play incidents into a server of their own, then the UI opens on one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::cli::{Demo, Global, Which};
use crate::command::{Usage, made, tui};
use crate::config::{Looks, Serving, default_folder};
use crate::intake::wait_until_indexed;
use crate::output;
use crate::server::{self, Server};
use anyhow::{Context, bail};
use fixtures::demo::{self, Endpoints, Incident, Options};

/// When a seeded play is said to begin: 2026-11-23T10:00:00Z.
const SEEDED_BASE: Duration = Duration::from_secs(1_795_428_000);

/// A file that marks a folder as the demo's own, which it may empty.
const MARK: &str = "demo";

/// In an incident's place: names them all.
const LIST: &str = "list";

/// Plays, then shows or prints.
pub(crate) fn run(demo: &Demo, global: &Global, serving: &Serving, looks: &Looks) -> anyhow::Result<()> {
    let options = options(demo);
    if demo.incident == LIST {
        return tell(&demo::incidents(&options));
    }
    let incident = incident(demo, &options)?;
    let folder = folder(global)?;
    let server = Server::start(&folder, &addresses(demo, serving))?;
    let endpoints = Endpoints::new(server.addresses().grpc, server.addresses().http);
    eprintln!("backstory: playing {} orders into {} …", options.orders, folder.display());
    let played = server
        .block_on(demo::play(&endpoints, demo.seed.unwrap_or(1), &options))
        .context("the demo's services could not send")?;
    wait_until_indexed(&*server.query())?;
    eprintln!("backstory: {} spans and {} log records arrived; the incidents:", played.spans, played.logs);
    tell(&played.incidents)?;
    if demo.headless {
        print_timeline(demo, &server, &incident)?;
    } else {
        tui::show(&server, &folder, Some(incident.entity), looks)?;
    }
    server.stop()
}

fn options(demo: &Demo) -> Options {
    let mut options = Options::ending_at(SystemTime::now());
    options.orders = demo.orders;
    options.base = match demo.seed {
        Some(_) => SystemTime::UNIX_EPOCH + SEEDED_BASE,
        None => SystemTime::now() - demo::length(demo.orders),
    };
    options
}

/// The incident that was asked for by name.
fn incident(demo: &Demo, options: &Options) -> anyhow::Result<Incident> {
    let incidents = demo::incidents(options);
    let names: Vec<&str> = incidents.iter().map(|incident| incident.name).collect();
    let known = names.join(", ");
    incidents
        .into_iter()
        .find(|incident| incident.name == demo.incident)
        .ok_or_else(|| Usage(format!("there is no incident {:?}; there are {known}", demo.incident)).into())
}

/// The folder to play into: the demo's own, emptied, or an empty one that was named.
fn folder(global: &Global) -> anyhow::Result<PathBuf> {
    if global.connect.is_some() {
        return Err(Usage("the demo plays into a server of its own: leave --connect out".to_owned()).into());
    }
    if let Some(folder) = &global.data {
        if folder.join("journal").exists() {
            bail!(
                "{} already holds data: name an empty folder, so that the stories do not mix",
                folder.display()
            );
        }
        return Ok(folder.clone());
    }
    let own = default_folder()?.with_file_name("backstory-demo");
    empty(&own)?;
    Ok(own)
}

/// Empties the demo's own folder, which a mark tells from any other.
fn empty(own: &Path) -> anyhow::Result<()> {
    let mark = own.join(MARK);
    if own.join("journal").exists() {
        if !mark.exists() {
            bail!("{} holds data that no demo made: name another folder with --data DIR", own.display());
        }
        // Taken and let go: what a running demo holds is not emptied under it.
        drop(server::open_journal(own, journal::Options::default())?);
        std::fs::remove_dir_all(own).with_context(|| format!("{} cannot be emptied", own.display()))?;
    }
    std::fs::create_dir_all(own).with_context(|| format!("{} cannot be made", own.display()))?;
    std::fs::write(&mark, "The next `backstory demo` empties this folder.\n")?;
    Ok(())
}

/// Headless, nobody needs to know the ports: free ones, so that it runs beside anything.
fn addresses(demo: &Demo, serving: &Serving) -> Serving {
    let mut serving = serving.clone();
    if demo.headless {
        let free = |said: &Option<String>| said.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned());
        serving.grpc = free(&demo.listen.grpc);
        serving.http = free(&demo.listen.http);
        serving.query = free(&demo.listen.query);
    }
    serving
}

/// Says on standard error what goes wrong; standard output is the timeline's.
fn tell(incidents: &[Incident]) -> anyhow::Result<()> {
    let mut out = std::io::stderr().lock();
    for incident in incidents {
        writeln!(out, "  {:<18} {:<11} {}", incident.name, incident.entity, incident.summary)?;
    }
    Ok(())
}

fn print_timeline(demo: &Demo, server: &Server, incident: &Incident) -> anyhow::Result<()> {
    let told = made::make(&Which::all_of(&incident.entity), demo.format, &*server.query())?;
    if told.completeness.total == 0 {
        bail!("{} was played and is not found", incident.entity);
    }
    output::print("")?;
    made::print(&told, demo.format)
}
