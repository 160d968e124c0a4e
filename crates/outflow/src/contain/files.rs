//! The files of a containment.

use std::fs;
use std::path::Path;

use outflow_posture::Containment;

use super::apply::UNDO;
use crate::exit::Failure;
use crate::output;

/// What holds a containment, as JSON.
const PLAN: &str = "containment.json";

/// Why a folder is not one of a dry run of this incident, from which nothing was applied; `None` if it is.
pub(super) fn applied_from(folder: &Path, incident: &str) -> Option<String> {
    let of = fs::read(folder.join(PLAN)).ok();
    let of = of.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
    match of.as_ref().and_then(|plan| plan["incident"].as_str()) {
        None => return Some(format!("it holds no {PLAN}")),
        Some(other) if other != incident => {
            return Some("it is of another incident".to_owned());
        }
        Some(_) => {}
    }
    if folder.join(UNDO).exists() {
        return Some(format!("{UNDO} says what was applied from it"));
    }
    let vpcs = match fs::read_dir(folder) {
        Ok(vpcs) => vpcs,
        Err(error) => return Some(format!("it cannot be read: {error}")),
    };
    for vpc in vpcs {
        let vpc = match vpc {
            Ok(vpc) => vpc.path(),
            Err(error) => return Some(format!("it cannot be read: {error}")),
        };
        // What contain.sh keeps, and what Terraform does.
        for name in ["state", ".terraform", "terraform.tfstate"] {
            let kept = vpc.join(name);
            if kept.exists() {
                return Some(format!("`{}` is of what was applied", kept.display()));
            }
        }
    }
    None
}

/// Writes `containment.json`, and for each VPC a folder of Terraform and scripts; all of it or nothing, but where the folder is
/// there: then each file is replaced.
pub(super) fn write(containment: &Containment, folder: &Path) -> Result<(), Failure> {
    let written = written(containment, folder);
    written.map_err(|error| unwritten(folder, error))
}

fn written(containment: &Containment, folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        return filled(containment, folder);
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    // Beside where it is to be, so that no half of it stays there. It is its owner's alone, and stays so.
    let beside = tempfile::Builder::new()
        .prefix(".outflow-contain-")
        .tempdir_in(parent)?;
    filled(containment, beside.path())?;
    fs::rename(beside.path(), folder)
}

fn filled(containment: &Containment, folder: &Path) -> std::io::Result<()> {
    output::to_file(&folder.join(PLAN), |out| {
        serde_json::to_writer_pretty(&mut *out, containment)?;
        writeln!(out)
    })?;
    for vpc in &containment.vpcs {
        // Its id is of letters and digits.
        let own = folder.join(&vpc.vpc_id);
        fs::create_dir_all(&own)?;
        for (name, text, is_script) in [
            ("contain.tf", containment.to_terraform(vpc), false),
            ("contain.sh", containment.contain_script(vpc), true),
            ("undo.sh", containment.undo_script(vpc), true),
        ] {
            let path = own.join(name);
            output::to_file(&path, |out| out.write_all(text.as_bytes()))?;
            if is_script {
                executable(&path)?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

fn unwritten(folder: &Path, error: std::io::Error) -> Failure {
    let error =
        anyhow::Error::from(error).context(format!("could not write `{}`", folder.display()));
    Failure::unfinished(
        error,
        "name a folder with --out where there is room, and that may be written to",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_dry_run_of_the_same_incident_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let of = |incident| applied_from(folder.path(), incident);
        let says = |what: &str| assert!(of("i-1").is_some_and(|why| why.contains(what)), "{what}");
        says("no containment.json");
        fs::write(folder.path().join(PLAN), "{\"incident\": \"i-1\"}").unwrap();
        fs::create_dir(folder.path().join("vpc-1")).unwrap();
        assert_eq!(of("i-1"), None);
        assert!(of("i-2").is_some_and(|why| why.contains("another incident")));
        for name in [UNDO, "vpc-1/state", "vpc-1/terraform.tfstate"] {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            says(name);
            fs::remove_file(path).unwrap();
        }
        assert_eq!(of("i-1"), None);
    }
}
