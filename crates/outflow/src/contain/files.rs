//! The files of a containment.

use std::fs;
use std::path::Path;

use outflow_posture::Containment;

use crate::exit::Failure;
use crate::output;

/// Writes `containment.json`, and for each VPC a folder of Terraform and scripts; all of it or nothing.
pub(super) fn write(containment: &Containment, folder: &Path) -> Result<(), Failure> {
    let written = written(containment, folder);
    written.map_err(|error| unwritten(folder, error))
}

fn written(containment: &Containment, folder: &Path) -> std::io::Result<()> {
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    // Beside where it is to be, so that no half of it stays there. It is its owner's alone, and stays so.
    let beside = tempfile::Builder::new()
        .prefix(".outflow-contain-")
        .tempdir_in(parent)?;
    output::to_file(&beside.path().join("containment.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, containment)?;
        writeln!(out)
    })?;
    for vpc in &containment.vpcs {
        // Its id is of letters and digits.
        let own = beside.path().join(&vpc.vpc_id);
        fs::create_dir(&own)?;
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
    fs::rename(beside.path(), folder)
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
