//! The one binary, `occi`: it serves (`occi serve`), shows what a running server has at its hypervisor
//! (`occi inspect`), and manages, makes and checks extensions (`occi ext`).

#![forbid(unsafe_code)]

mod administration;
mod assemble;
mod buckets;
mod client;
mod config;
mod control;
mod exposition;
mod ext;
mod inspect;
mod log;
mod node;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use config::{Config, Hypervisor};
use occi_extension::Task;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Requests, and the calls of extensions that they lead to, allocate much that is small and gone at once, on several
/// threads: the C library's allocator takes a tenth more of the processor for it. The libraries of libvirt use this one
/// too (its feature `override`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An OCCI 1.2 server whose resource types are WebAssembly extensions.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Show the machines, volumes and networks that a running server has at its hypervisor, or what extensions count.
    Inspect(Inspect),
    /// Make extensions; show, install and remove those of a running server.
    Ext(ext::Ext),
    /// Show the hypervisors of a running server, and move things between them.
    Node(node::Node),
    /// Print the configuration file with every setting at its default.
    Config,
    /// Compile a component, as this program asks of itself.
    #[command(name = COMPILE, hide = true)]
    Compile(Compile),
}

/// The command by which this program has a component compiled by a process of its own.
const COMPILE: &str = "compile";

#[derive(Args)]
struct Compile {
    reservation: u64,
    seconds: u64,
    memory: u64,
}

#[derive(Args)]
struct Serve {
    /// The configuration, a TOML file; `occi config` prints one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; the port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR", value_parser = config::address)]
    listen: Option<SocketAddr>,
    /// The server's own folder [default: ./occi-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The folder with the extensions [default: `extensions` beside this program]
    #[arg(long, value_name = "DIR")]
    extensions: Option<PathBuf>,
    #[arg(long, value_name = "URI", help = "libvirt's URI [default: test:///default]")]
    hypervisor: Option<String>,
}

#[derive(Args)]
struct Inspect {
    /// The folder of the running server.
    #[arg(long, value_name = "DIR", default_value = "./occi-data")]
    data: PathBuf,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Print what extensions count since the server began, as Prometheus reads it, instead of what is at the hypervisor.
    #[arg(long, conflicts_with = "json")]
    metrics: bool,
}

/// The exit code of a wrong configuration.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = logged().unwrap_or_else(|error| {
        let message = format!("RUST_LOG is nothing like `info` or `occi_extension=debug,info`: {error}");
        Cli::command().error(ErrorKind::InvalidValue, message).exit()
    });
    let feed = log::begin(filter);
    match cli.command {
        Command::Serve(options) => serve(options, feed),
        Command::Inspect(Inspect { data, metrics: true, .. }) => report(inspect::metrics(&data)),
        Command::Inspect(Inspect { data, json, .. }) => report(inspect::inspect(&data, json)),
        Command::Ext(options) => report(ext::run(&options)),
        Command::Node(options) => report(node::run(&options)),
        Command::Config => report(client::print(config::EXAMPLE)),
        Command::Compile(Compile { reservation, seconds, memory }) => {
            let task = Task { reservation, seconds, memory };
            task.carry_out(io::stdin().lock(), io::stdout().lock(), io::stderr().lock()).into()
        }
    }
}

/// What of the log is wanted.
fn logged() -> Result<EnvFilter, ParseError> {
    match std::env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => EnvFilter::try_new(wanted),
        Ok(_) | Err(_) => Ok(EnvFilter::new("info")),
    }
}

fn serve(options: Serve, feed: log::Feed) -> ExitCode {
    let config = match Config::read(options.config.as_deref()) {
        Ok(config) => options.over(config),
        Err(error) => {
            tracing::error!("{error:#}");
            return ExitCode::from(MISCONFIGURED);
        }
    };
    match assemble::run(&config, feed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(assemble::Error::Misconfigured(error)) => {
            tracing::error!("{error:#}");
            ExitCode::from(MISCONFIGURED)
        }
        Err(assemble::Error::Failed(error)) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Serve {
    fn over(self, config: Config) -> Config {
        let mut config = config;
        config.listen = self.listen.unwrap_or(config.listen);
        config.data = self.data.unwrap_or(config.data);
        config.extensions = self.extensions.or(config.extensions);
        if let Some(uri) = self.hypervisor {
            config.hypervisor = Hypervisor { uri, node: Vec::new(), ..config.hypervisor };
        }
        config
    }
}

fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
