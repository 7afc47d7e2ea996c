//! Writing so that a reader never sees half a file.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::Error;

const FULL_OR_READ_ONLY: &str = "is the disk full or the folder read-only? choose another folder";

/// Puts `bytes` in place of the file: written aside, flushed to the disk, renamed.
///
/// # Errors
/// [`Error::File`]; the old file, if any, is then still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        make_readable(file.as_file())?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
        remedy: FULL_OR_READ_ONLY,
    })
}

/// Temporary files are private; results are for everyone whom the folder lets in.
fn make_readable(file: &fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

/// Makes a folder, with those above it.
///
/// # Errors
/// [`Error::File`].
pub fn create_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| Error::File {
        action: "create",
        path: path.to_owned(),
        source,
        remedy: FULL_OR_READ_ONLY,
    })
}

/// The whole file; `None` if there is none.
///
/// # Errors
/// [`Error::File`].
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::File {
            action: "read",
            path: path.to_owned(),
            source,
            remedy: "check its permissions",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_whole_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        write_atomically(&path, b"a long first version").unwrap();
        write_atomically(&path, b"short").unwrap();
        assert_eq!(read_if_there(&path).unwrap().unwrap(), b"short");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(read_if_there(&folder.path().join("none")).unwrap(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = create_folder(&file.join("below")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot create {}/below: ", file.display())), "{error}");
        assert!(error.ends_with("choose another folder)"), "{error}");
    }
}
