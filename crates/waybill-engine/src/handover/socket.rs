//! Where two processes on one data folder meet: a socket of this user's own, in the folder or, where that has too long a
//! name, named in its pid file.

#[cfg(unix)]
pub(crate) use unix::{IS_PRIVATE, Listener, Stream, connect};
#[cfg(windows)]
pub(crate) use windows::{IS_PRIVATE, Listener, Stream, connect};

use std::path::Path;

/// What the holder wrote below its pid.
fn announced(data_dir: &Path) -> Option<String> {
    let pid = std::fs::read_to_string(data_dir.join("waybill.pid")).ok()?;
    pid.lines().nth(1).map(str::to_owned)
}

/// The same for the same folder, from whichever process it is asked.
fn name_of(data_dir: &Path) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned()).hash(&mut hasher);
    format!("waybill-{:016x}", hasher.finish())
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, Permissions};
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
    use std::path::{Path, PathBuf};

    use tokio::net::{UnixListener, UnixStream};

    /// Only this user can open it.
    pub(crate) const IS_PRIVATE: bool = true;
    /// A socket's name may have 104 bytes on macOS and 108 on Linux, with an end mark.
    const LONGEST: usize = 100;

    pub(crate) type Stream = UnixStream;

    /// Listens for as long as it lives, and leaves no socket behind.
    #[derive(Debug)]
    pub(crate) struct Listener {
        listener: UnixListener,
        path: PathBuf,
        /// Its folder was made for it alone.
        far: bool,
        owner: u32,
    }

    impl Listener {
        /// Only for the holder of the data folder's lock, so that a socket which is there already is nobody's. The second
        /// value stands below the pid, if the socket is not in the folder.
        pub(crate) fn bind(data_dir: &Path) -> io::Result<(Listener, Option<String>)> {
            let near = near(data_dir);
            let (path, announce) = if near.as_os_str().as_bytes().len() <= LONGEST {
                (near, None)
            } else {
                let far = private_folder(data_dir)?.join("s");
                let announce = far.to_string_lossy().into_owned();
                (far, Some(announce))
            };
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            let owner = fs::metadata(&path)?.uid();
            Ok((Listener { listener, path, far: announce.is_some(), owner }, announce))
        }

        /// The next of this user's own processes that asks.
        pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
            loop {
                let (stream, _) = self.listener.accept().await?;
                // Whoever came between the socket and its permissions is sent away.
                if stream.peer_cred()?.uid() == self.owner {
                    return Ok(stream);
                }
            }
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            // The next holder removes what is left.
            let _ = fs::remove_file(&self.path);
            if let (true, Some(folder)) = (self.far, self.path.parent()) {
                let _ = fs::remove_dir(folder);
            }
        }
    }

    /// The holder must be the owner of the folder, and so of what is sent.
    pub(crate) async fn connect(data_dir: &Path) -> io::Result<Stream> {
        let near = near(data_dir);
        let path = match super::announced(data_dir) {
            Some(announced) if !near.exists() => PathBuf::from(announced),
            _ => near,
        };
        let stream = UnixStream::connect(path).await?;
        let owner = fs::metadata(data_dir.join("waybill.pid"))?.uid();
        if stream.peer_cred()?.uid() != owner {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        Ok(stream)
    }

    fn near(data_dir: &Path) -> PathBuf {
        data_dir.join("waybill.sock")
    }

    /// A folder that nobody else can enter, in the runtime folder or a temporary one.
    fn private_folder(data_dir: &Path) -> io::Result<PathBuf> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let bases = [runtime, Some(std::env::temp_dir()), Some(PathBuf::from("/tmp"))];
        let fits = |base: &PathBuf| base.is_dir() && base.as_os_str().as_bytes().len() <= LONGEST - 32;
        let base = bases.into_iter().flatten().find(fits).ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = base.join(super::name_of(data_dir));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let (found, ours) = (fs::symlink_metadata(&folder)?, fs::metadata(data_dir)?);
                let is_private = found.is_dir() && found.uid() == ours.uid() && found.mode() & 0o077 == 0;
                if is_private { Ok(folder) } else { Err(error) }
            }
            made => made.map(|()| folder),
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::path::Path;

    use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

    /// Another user could have taken the pipe's name first, so no keys go through it.
    pub(crate) const IS_PRIVATE: bool = false;

    pub(crate) type Stream = NamedPipeClient;

    /// Listens for as long as it lives.
    #[derive(Debug)]
    pub(crate) struct Listener {
        name: String,
        next: NamedPipeServer,
    }

    impl Listener {
        /// Only for the holder of the data folder's lock. The second value stands below the pid.
        pub(crate) fn bind(data_dir: &Path) -> io::Result<(Listener, Option<String>)> {
            let name = format!(r"\\.\pipe\{}", super::name_of(data_dir));
            let next = ServerOptions::new().first_pipe_instance(true).create(&name)?;
            Ok((Listener { name: name.clone(), next }, Some(name)))
        }

        /// The next process that asks.
        pub(crate) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
            self.next.connect().await?;
            let following = ServerOptions::new().create(&self.name)?;
            Ok(std::mem::replace(&mut self.next, following))
        }
    }

    pub(crate) async fn connect(data_dir: &Path) -> io::Result<Stream> {
        let name = super::announced(data_dir).ok_or(io::ErrorKind::NotFound)?;
        ClientOptions::new().open(name)
    }
}
