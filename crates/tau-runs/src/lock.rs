//! One writer for each folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::Error;

/// The file that is locked. It is never deleted: who waits for a lock must wait for the same file.
const NAME: &str = ".lock";
/// Hundredths of a second for which a lock is waited for.
const PATIENCE: usize = 100;
/// ENOLCK: the server of a network file system gives no more locks.
const NO_LOCKS: i32 = 37;
const NO_LOCKS_REMEDY: &str = "the file system gives no locks just now (on NFS, its lock service may be \
                               down): try again, or choose a folder on another one";

/// A folder that belongs to this value as long as it lives.
///
/// The system keeps the lock and gives it back when the process ends, however it ends: there are no
/// stale ones. On NFS the server keeps it (for a client that is gone, until its lease is over).
#[derive(Debug)]
pub struct Lock {
    file: File,
    folder: PathBuf,
    /// What this value wrote into the file.
    text: String,
}

/// The owner of a lock, for messages alone.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    host: String,
    process: u32,
    /// Seconds since 1970.
    since: u64,
}

impl Lock {
    /// Takes the folder, which must exist.
    ///
    /// # Errors
    /// [`Error::is_locked`] with the owner's name; a folder that cannot be written; a file system
    /// that has no locks.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let failed = |source: std::io::Error| {
            let remedy = match source.kind() {
                ErrorKind::Unsupported => {
                    "this file system has no locks: choose a folder on another one"
                }
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, then start again",
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                    "is the folder read-only? choose another one"
                }
                _ if source.raw_os_error() == Some(NO_LOCKS) => NO_LOCKS_REMEDY,
                _ => "can it be read and written? else choose another folder",
            };
            Error::file("lock", &path, source, remedy)
        };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(failed)?;
        let mut locked = file.try_lock();
        for _ in 0..PATIENCE {
            // It may only be someone who looks (`Lock::owner`).
            if matches!(locked, Err(TryLockError::WouldBlock)) {
                std::thread::sleep(Duration::from_millis(10));
                locked = file.try_lock();
            }
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::locked(folder, owner(&mut file)));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let owner = Owner { host: host(), process: std::process::id(), since: now() };
        let text = serde_json::to_string(&owner).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(text.as_bytes()))
            .map_err(failed)?;
        Ok(Self { file, folder: folder.to_owned(), text })
    }

    /// Whether the folder still belongs to this value. It does not if someone deleted or replaced the
    /// file: then another process may have locked the new one. Nor does it if someone else's name is in
    /// it: there are file systems whose locks lock nothing (NFS with `nolock`).
    ///
    /// # Errors
    /// [`Error::is_locked`].
    pub fn check(&self) -> Result<(), Error> {
        let path = self.folder.join(NAME);
        // What cannot be read is not known to have changed.
        let mine = std::fs::read_to_string(&path).map_or(true, |text| text == self.text);
        if mine && same_file(&self.file, &path) {
            return Ok(());
        }
        let owner = if mine {
            Self::owner(&self.folder).unwrap_or_else(|| "nobody: .lock is gone".to_owned())
        } else {
            File::open(&path)
                .map_or_else(|_| "another process".to_owned(), |mut file| owner(&mut file))
        };
        Err(Error::locked(&self.folder, owner))
    }

    /// Says which process has the folder now, if one has it; nothing is changed.
    #[must_use]
    pub fn owner(folder: &Path) -> Option<String> {
        let mut file = File::open(folder.join(NAME)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(owner(&mut file)),
            _ => None,
        }
    }
}

/// Whether the open file is the one at the path.
#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(mine), Ok(there)) => identity(mine) == identity(there),
        // What cannot be asked is not known to have changed.
        (_, Err(error)) => error.kind() != std::io::ErrorKind::NotFound,
        (Err(_), _) => true,
    }
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Reads the owner that the lock file names.
fn owner(file: &mut File) -> String {
    let mut text = String::new();
    // What cannot be read is not known.
    let _ = file.read_to_string(&mut text);
    serde_json::from_str(&text).map_or_else(
        |_| "another process".to_owned(),
        |Owner { host, process, since }| format!("process {process} on {host}, for {}", ago(since)),
    )
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn ago(since: u64) -> String {
    match now().saturating_sub(since) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// The name of this machine.
pub(crate) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "this machine".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err().to_string();
        let owner = format!("process {} on {}", std::process::id(), host());
        assert!(error.contains(&owner), "{error}");
        assert!(Lock::owner(folder.path()).unwrap().contains(&owner));
        drop(first);
        assert_eq!(Lock::owner(folder.path()), None);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn who_lost_the_file_of_his_lock_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        first.check().unwrap();
        std::fs::remove_file(folder.path().join(NAME)).unwrap();
        let error = first.check().unwrap_err().to_string();
        assert!(error.contains("in use by nobody: .lock is gone"), "{error}");
        let second = Lock::take(folder.path()).unwrap();
        second.check().unwrap();
        let error = first.check().unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
    }

    /// Two processes may have the same lock where locks lock nothing: the first one sees it.
    #[test]
    fn who_finds_another_name_in_the_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        first.check().unwrap();
        let other = "{\"host\":\"node7\",\"process\":12,\"since\":1}";
        std::fs::write(folder.path().join(NAME), other).unwrap();
        let error = first.check().unwrap_err();
        assert!(error.is_locked());
        assert!(error.to_string().contains("in use by process 12 on node7, for "), "{error}");
    }

    #[test]
    fn what_a_dead_process_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "a long text that is no owner at all").unwrap();
        let _lock = Lock::take(folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
        let owner: Owner = serde_json::from_str(&text).unwrap();
        assert_eq!(owner.process, std::process::id());
    }
}
