//! `outflow simulate`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use outflow_record::{Format, Timestamp};
use outflow_sim::{Error, Scenario, World, WorldConfig, labels_csv};

use crate::exit::{Exit, Failure};
use crate::output;

/// Write flow logs of a made-up network, with labelled incidents, in the layout of S3.
///
/// The same arguments give the same bytes. Beside the logs, labels.csv says what is malicious.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  outflow simulate ./world --days 3 --scenario burst --scenario resolver-bypass"
)]
pub(crate) struct SimulateArgs {
    /// Folder to write to; it must be new or empty.
    out: PathBuf,
    /// A world that is ready: `breach` is the archive in testdata. Other options change it.
    #[arg(long, value_enum)]
    world: Option<Ready>,
    /// Number that everything random comes from.
    #[arg(long)]
    seed: Option<u64>,
    /// First day.
    #[arg(long, value_name = "DATE")]
    start: Option<Timestamp>,
    /// Days.
    #[arg(long)]
    days: Option<u32>,
    /// Network interfaces, over all accounts.
    #[arg(long)]
    enis: Option<u32>,
    /// Accounts.
    #[arg(long)]
    accounts: Option<u32>,
    /// Region.
    #[arg(long)]
    region: Option<String>,
    /// What happens: burst, drip, split-destinations, resolver-bypass, icmp-tunnel, beacon,
    /// long-connection, and the harmless backup-moved, deploy, big-download, agents; or `all`. May
    /// be repeated.
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Minutes of records in an object; AWS delivers 5.
    #[arg(long, value_name = "MINUTES")]
    object_minutes: Option<u32>,
    /// Ordinary flows of an interface an hour, about.
    #[arg(long, value_name = "N")]
    flows_per_hour: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Ready {
    /// One week, 24 interfaces, every scenario.
    Breach,
}

fn plan(args: &SimulateArgs, format: Option<Format>) -> Result<WorldConfig, Error> {
    let base = match args.world {
        Some(Ready::Breach) => WorldConfig::breach(),
        None => WorldConfig::default(),
    };
    let scenarios = if args.scenarios.iter().any(|name| name == "all") {
        Scenario::ALL.to_vec()
    } else {
        args.scenarios
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()?
    };
    let config = WorldConfig {
        seed: args.seed.unwrap_or(base.seed),
        start: args.start.unwrap_or(base.start),
        days: args.days.unwrap_or(base.days),
        enis: args.enis.unwrap_or(base.enis),
        accounts: args.accounts.unwrap_or(base.accounts),
        region: args.region.clone().unwrap_or(base.region),
        format: format.unwrap_or(base.format),
        scenarios: if scenarios.is_empty() {
            base.scenarios
        } else {
            scenarios
        },
        object_minutes: args.object_minutes.unwrap_or(base.object_minutes),
        base_flows_per_eni_hour: args.flows_per_hour.unwrap_or(base.base_flows_per_eni_hour),
    };
    config.validate()?;
    Ok(config)
}

pub(crate) fn run(args: SimulateArgs, format: Option<Format>) -> Result<Exit, Failure> {
    let config = plan(&args, format).map_err(unusable)?;
    let world = World::new(&config).map_err(unusable)?;
    let taken = fs::read_dir(&args.out).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Failure::usage(
            anyhow!("folder `{}` is not empty", args.out.display()),
            "name a new folder, or remove this one first",
        ));
    }
    let (objects, bytes) = write(&args.out, &world).map_err(|error| {
        let hint =
            "name a folder that may be written to, on a disk with room, and remove what was begun";
        Failure::unfinished(error, hint)
    })?;
    let labels = world.labels();
    let text = format!(
        "wrote {objects} objects ({bytes} bytes) and {} labels to {}\n",
        labels.len(),
        args.out.display()
    );
    output::to_stdout(text.as_bytes()).map_err(output::lost)?;
    Ok(Exit::Done)
}

fn unusable(error: Error) -> Failure {
    let hint = match &error {
        Error::OutOfRange { .. } => "give a number within that range",
        Error::UnevenSlot { .. } => {
            "give --object-minutes as 5, 10, 15, 30, 60 or another divisor of 1440"
        }
        Error::StartNotMidnight { .. } => "give --start as a date alone, such as 2026-10-01",
        Error::BadRegion { .. } => "spell --region as AWS does, such as eu-central-1",
        Error::TransitGateway { .. } => "name fields of VPC flow logs only",
        Error::SpanTooShort { .. } => "raise --days, or leave that scenario out",
        Error::TooFewEnis { .. } => "raise --enis, or name fewer scenarios",
        Error::RepeatedScenario { .. } => "name it once",
        Error::UnknownScenario { .. } => "`outflow simulate --help` names them all",
    };
    Failure::usage(error, hint)
}

fn write(out: &Path, world: &World) -> anyhow::Result<(u64, u64)> {
    let (mut objects, mut bytes) = (0, 0);
    for object in world.objects() {
        let path = out.join(&object.path);
        let failed = || format!("could not write `{}`", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(failed)?;
        }
        // No time and no name in the header: the same text has the same bytes.
        let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
        gzip.write_all(&object.text)?;
        let stored = gzip.finish()?;
        fs::write(&path, &stored).with_context(failed)?;
        objects += 1;
        bytes += stored.len() as u64;
    }
    let path = out.join("labels.csv");
    fs::write(&path, labels_csv(&world.labels()))
        .with_context(|| format!("could not write `{}`", path.display()))?;
    Ok((objects, bytes))
}
