//! Writing so that a reader never sees half a file.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::Error;

const FULL_OR_READ_ONLY: &str = "is the disk full or the folder read-only? choose another folder";

/// Puts `bytes` in place of the file: written aside, flushed to the disk, renamed.
///
/// # Errors
/// A file that cannot be written; the old file, if any, is then still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = match path.parent() {
        // That of a bare file name is empty.
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mut file = new_file().tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(folder)
    };
    write().map_err(|source| Error::file("write", path, source, FULL_OR_READ_ONLY))
}

/// [`write_atomically`] for a table with one line a row. A table with more rows than the new one is
/// not lost: it is moved aside, its number of rows in its name.
///
/// # Errors
/// A file or folder that cannot be read or written ([`Error::is_of_files`]).
pub fn write_table(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let rows = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
    if let Some(old) = read_if_there(path)?
        && rows(&old) > rows(bytes)
    {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let count = rows(&old) - 1;
        let named = |k: usize| match k {
            0 => format!("{name}-{count}-rows.csv"),
            k => format!("{name}-{count}-rows-{k}.csv"),
        };
        let mut asides = (0..).map(|k| path.with_file_name(named(k)));
        let aside = asides.find(|aside| !aside.exists()).unwrap_or_else(|| path.to_owned());
        fs::rename(path, &aside)
            .map_err(|source| Error::file("move", path, source, FULL_OR_READ_ONLY))?;
    }
    write_atomically(path, bytes)
}

/// Deletes what writers left that were killed in mid-write. Only for who has the folder's lock.
pub(crate) fn remove_unfinished(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let is_left = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(UNFINISHED);
    for entry in entries.flatten().filter(|entry| is_left(&entry.file_name())) {
        // One more or less does no harm.
        let _ = fs::remove_file(entry.path());
    }
}

/// How names of files begin that are being written.
const UNFINISHED: &str = ".unfinished-";

/// Temporary files are private unless told otherwise; results are for everyone whom the umask lets
/// in.
#[cfg(unix)]
fn new_file() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    builder.permissions(fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn new_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    builder
}

/// A rename is safe from a power cut only when the folder is on the disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Makes a folder, with those above it.
///
/// # Errors
/// A file or folder that cannot be read or written ([`Error::is_of_files`]).
pub fn create_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| {
        let remedy = match source.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                "a file is in the way; choose another folder"
            }
            _ => FULL_OR_READ_ONLY,
        };
        Error::file("create", path, source, remedy)
    })
}

/// The whole file; `None` if there is none.
///
/// # Errors
/// A file or folder that cannot be read or written ([`Error::is_of_files`]).
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        // Nor is there one below something that is no folder.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(Error::file("read", path, source, "check its permissions")),
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
    fn a_table_is_never_replaced_by_one_with_fewer_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        for table in ["a\n1\n", "a\n1\n2\n", "a\n3\n4\n", "a\n5\n"] {
            write_table(&path, table.as_bytes()).unwrap();
            assert_eq!(read_if_there(&path).unwrap().unwrap(), table.as_bytes());
        }
        let aside = folder.path().join("table-2-rows.csv");
        assert_eq!(read_if_there(&aside).unwrap().unwrap(), b"a\n3\n4\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = create_folder(&file.join("below")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot create {}/below: ", file.display())), "{error}");
        assert!(error.ends_with("(a file is in the way; choose another folder)"), "{error}");
    }
}
