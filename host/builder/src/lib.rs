//! Extensions, from source to one file each. A [`Project`] is a folder that holds a manifest.toml; what is beside it says
//! in which language the code is. A [`Builder`] compiles it with that language's own tools, and puts the manifest inside.
//!
//! What a server thinks of the file is not known here; nor which extensions there are, or how a tool that is missing is
//! installed: [`Unmet`] says which, and whoever builds decides.

#![forbid(unsafe_code)]

pub mod c;
pub mod javascript;
pub mod python;
pub mod rust;
pub mod toolchain;

mod component;
mod files;
mod programs;
mod project;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

pub use files::replace;
pub use programs::{Unmet, path_of};
pub use project::{Code, Project, home_of};

/// How a program is run to its end, and shown meanwhile: what it is for, in a few words, and the program. Its standard output
/// is the answer; that it fails is an error.
pub type Step<'a> = dyn Fn(&str, &mut Command) -> Result<Vec<u8>> + 'a;

/// Builds projects.
pub struct Builder<'a> {
    /// The folder in which Cargo finds the crates among them: their workspace's, or the one crate's own.
    pub cargo_root: PathBuf,
    /// The folder that has `sdk` and `wit` in it: this repository, or what stands for it beside an author's code
    /// ([`home_of`]). Only extensions in Rust, and those without code, are built without.
    pub home: Option<PathBuf>,
    /// Where that goes which is made on the way. It is kept, so that the next build takes less time.
    pub work: PathBuf,
    /// The Python in which the tools of that SDK are installed; without it each project's own is looked for.
    pub python: Option<PathBuf>,
    /// How programs are run.
    pub step: &'a Step<'a>,
}

impl Builder<'_> {
    /// The components of projects, with their manifests inside, in the same order.
    pub fn build(&self, projects: &[Project]) -> Result<Vec<Vec<u8>>> {
        let modules = rust::compile(self, projects)?;
        projects.iter().map(|project| self.component(project, &modules)).collect()
    }

    fn component(&self, project: &Project, modules: &BTreeMap<String, PathBuf>) -> Result<Vec<u8>> {
        let manifest = files::text(&project.manifest)?;
        let module = match project.code {
            Code::None => return Ok(component::without_code(&manifest)),
            // These come with their manifest inside, from the SDK's own command.
            Code::JavaScript => return files::bytes(&javascript::build(self, project)?),
            Code::Python => return files::bytes(&python::build(self, project)?),
            Code::C => c::compile(self, project)?,
            Code::Rust => modules.get(&project.name).cloned().with_context(|| {
                format!(
                    "{} makes no WebAssembly module: its Cargo.toml needs [lib] crate-type = [\"cdylib\"]",
                    project.name
                )
            })?,
        };
        component::from_module(&files::bytes(&module)?, &manifest).with_context(|| project.name.clone())
    }

    fn home(&self, code: Code) -> Result<&Path> {
        self.home.as_deref().with_context(|| {
            format!(
                "the SDK is not there, neither in a folder `{}` beside the code nor above it: `occi ext new --lang {code} NAME` makes a \
                 folder that has it, from which `{}` can be copied",
                project::HOME,
                project::HOME,
            )
        })
    }

    /// A folder for what is made of one project on the way.
    fn work_of(&self, project: &Project) -> Result<PathBuf> {
        let made = self.work.join(project.code.to_string()).join(&project.name);
        std::fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
        Ok(made)
    }
}
