//! Programs that take secrets as arguments whose position, and no name, says what they are.

/// Where the argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// In the same word as the flag only: `mysql -pX`; alone the flag means something else.
    Attached,
    /// In the same word or the next.
    Either,
    /// In the word behind one that begins so: `/user:bob x`.
    After,
    /// In the next word only: `-e x`.
    Next,
    /// The n-th word that is no flag, behind the words that the rule needs.
    Nth(u8),
}

/// What of the argument is the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// All of it.
    Whole,
    /// What is behind the first of a sign: `user:pass`, `user%pass`, `key=value`.
    Behind(u8),
    /// What is behind `pass:` only: elsewhere is `env:X` or `file:x`.
    Pass,
    /// What is behind `echo `: the value is a command.
    Echo,
    /// What is between `/` and `@`: `user/pass@host`.
    Slash,
}

/// One kind of argument of a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Words that must have come before, of the program's own: `login`.
    pub(super) needs: &'static [&'static str],
    pub(super) flags: &'static [&'static str],
    pub(super) how: How,
    pub(super) take: Take,
}

/// A program, by its names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program {
    pub(super) names: &'static [&'static str],
    pub(super) rules: &'static [Rule],
}

const fn rule(needs: &'static [&'static str], flags: &'static [&'static str], how: How, take: Take) -> Rule {
    Rule {
        needs,
        flags,
        how,
        take,
    }
}

/// A flag whose value is the secret.
const fn flag(flags: &'static [&'static str]) -> Rule {
    rule(&[], flags, How::Either, Take::Whole)
}

const LOGIN: &[Rule] = &[
    rule(&["login"], &["-p"], How::Either, Take::Whole),
    rule(
        &[],
        &["--creds", "--src-creds", "--dest-creds"],
        How::Either,
        Take::Behind(b':'),
    ),
];

/// Flags of `htpasswd` with a password as an argument, for a file and not.
const HTPASSWD_FILE: &str = "-b|-cb|-bc|-bB|-Bb|-cbB|-bcB|-cBb|-Bcb|-Bbc|-bBc|-bm|-mb|-bs|-bd|-bi|-D";
const HTPASSWD_PRINT: &str = "-nb|-bn|-nbB|-nBb|-bnB|-bBn|-Bnb|-Bbn|-nbm|-nmb|-bnm|-nbs|-nbd";

/// All of them.
pub(super) const PROGRAMS: &[Program] = &[
    Program {
        names: &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlcheck",
            "mysqlshow",
            "mysqlpump",
            "mysqlslap",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "mysqlbinlog",
            "mysqlsh",
        ],
        rules: &[rule(&[], &["-p"], How::Attached, Take::Whole)],
    },
    Program {
        names: &["redis-cli", "valkey-cli", "keydb-cli"],
        rules: &[flag(&["-a", "--pass"])],
    },
    Program {
        names: &["sshpass"],
        rules: &[flag(&["-p"])],
    },
    Program {
        names: &["curl"],
        rules: &[
            rule(
                &[],
                &["-u", "--user", "-U", "--proxy-user"],
                How::Either,
                Take::Behind(b':'),
            ),
            flag(&["--pass", "--proxy-pass", "--oauth2-bearer", "--key-passwd"]),
        ],
    },
    Program {
        names: &["wget"],
        rules: &[flag(&["--http-passwd", "--ftp-password"])],
    },
    Program {
        names: &["http", "https", "xh"],
        rules: &[rule(&[], &["-a", "--auth"], How::Either, Take::Behind(b':'))],
    },
    Program {
        names: &[
            "docker", "podman", "nerdctl", "buildah", "crane", "helm", "oc", "az", "cf", "harbor",
        ],
        rules: LOGIN,
    },
    Program {
        names: &["kubectl"],
        rules: &[rule(
            &["create", "secret"],
            &["--from-literal"],
            How::Either,
            Take::Behind(b'='),
        )],
    },
    Program {
        names: &["htpasswd"],
        rules: &[
            rule(&[HTPASSWD_FILE], &[], How::Nth(3), Take::Whole),
            rule(&[HTPASSWD_PRINT], &[], How::Nth(2), Take::Whole),
        ],
    },
    Program {
        names: &["openssl"],
        rules: &[
            rule(&[], &["-passin", "-passout", "-pass"], How::Next, Take::Pass),
            rule(
                &["enc|aes-256-cbc|aes-128-cbc|des3|aes256"],
                &["-k", "-K"],
                How::Next,
                Take::Whole,
            ),
            rule(&["dgst|mac"], &["-hmac", "-macopt"], How::Next, Take::Whole),
        ],
    },
    Program {
        names: &[
            "ldapsearch",
            "ldapadd",
            "ldapmodify",
            "ldapdelete",
            "ldapwhoami",
            "ldappasswd",
            "ldapcompare",
            "ldapmodrdn",
        ],
        rules: &[flag(&["-w", "-s"])],
    },
    Program {
        names: &[
            "mongo",
            "mongosh",
            "mongodump",
            "mongorestore",
            "mongoexport",
            "mongoimport",
            "mongostat",
            "mongotop",
            "mongofiles",
        ],
        rules: &[flag(&["-p"])],
    },
    Program {
        names: &["sqlcmd", "bcp", "isql", "osql", "mssql-cli"],
        rules: &[flag(&["-P"])],
    },
    Program {
        names: &["sqlplus", "expdp", "impdp", "exp", "imp", "sqlldr", "rman"],
        rules: &[rule(&[], &[], How::Nth(1), Take::Slash)],
    },
    Program {
        names: &[
            "cqlsh",
            "evil-winrm",
            "crackmapexec",
            "netexec",
            "ncftpget",
            "ncftpput",
            "twine",
            "nxc",
            "winexe",
        ],
        rules: &[flag(&["-p"])],
    },
    Program {
        names: &[
            "mosquitto_pub",
            "mosquitto_sub",
            "ipmitool",
            "zip",
            "unzip",
            "zipcloak",
            "fcrackzip",
        ],
        rules: &[flag(&["-P"])],
    },
    Program {
        names: &["7z", "7za", "7zr", "rar", "unrar"],
        rules: &[rule(&[], &["-p", "-hp"], How::Attached, Take::Whole)],
    },
    Program {
        names: &["vault", "bao"],
        rules: &[
            rule(&["login"], &[], How::Nth(1), Take::Whole),
            rule(&["operator", "unseal"], &[], How::Nth(1), Take::Whole),
        ],
    },
    Program {
        names: &["rabbitmqctl"],
        rules: &[rule(
            &["add_user|change_password|authenticate_user"],
            &[],
            How::Nth(2),
            Take::Whole,
        )],
    },
    Program {
        names: &["smbclient", "rpcclient", "smbmap", "smbget"],
        rules: &[rule(&[], &["-U", "--user"], How::Either, Take::Behind(b'%'))],
    },
    Program {
        names: &["lftp"],
        rules: &[rule(&[], &["-u"], How::Either, Take::Behind(b','))],
    },
    Program {
        names: &["etcdctl"],
        rules: &[rule(&[], &["--user"], How::Either, Take::Behind(b':'))],
    },
    Program {
        names: &["mc"],
        rules: &[
            rule(&["alias", "set"], &[], How::Nth(4), Take::Whole),
            rule(&["config", "add"], &[], How::Nth(5), Take::Whole),
        ],
    },
    Program {
        names: &["snmpwalk", "snmpget", "snmpset", "snmpbulkwalk"],
        rules: &[flag(&["-A", "-X", "-c"])],
    },
    Program {
        names: &["xfreerdp", "xfreerdp3", "wfreerdp"],
        rules: &[rule(&[], &["/p:", "/gp:"], How::Attached, Take::Whole)],
    },
    Program {
        names: &["restic", "borg"],
        rules: &[rule(&[], &["--password-command"], How::Either, Take::Echo)],
    },
    Program {
        names: &["net", "net.exe"],
        rules: &[
            rule(&["use"], &["/user:", "/USER:"], How::After, Take::Whole),
            rule(&[], &["-U", "--user"], How::Either, Take::Behind(b'%')),
        ],
    },
];

/// What the name of one of them has in it. Of four letters at least, which is what makes the search fast: the short
/// names come with what is behind them.
pub(super) const STEMS: &[&str] = &[
    "mysql",
    "mariadb",
    "redis-cli",
    "valkey-cli",
    "sshpass",
    "curl",
    "docker",
    "podman",
    "nerdctl",
    "buildah",
    "helm",
    "oc login",
    "\"oc\"",
    "az login",
    "az acr",
    "\"az\"",
    "cf login",
    "kubectl",
    "htpasswd",
    "openssl",
    "ldap",
    "mongo",
    "sqlcmd",
    "bcp ",
    "isql",
    "osql",
    "sqlplus",
    "pdp ",
    "cqlsh",
    "evil-winrm",
    "twine",
    "mosquitto_",
    "ipmitool",
    "zip -",
    "\"zip\"",
    "7z a",
    "7z x",
    "\"7z\"",
    "rar a",
    "rar x",
    "vault",
    "rabbitmqctl",
    "smbc",
    "rpcclient",
    "lftp",
    "etcdctl",
    "mc alias",
    "snmp",
    "freerdp",
    "restic ",
    "net use",
    "-stdin",
    "with-token",
    "chpasswd",
    "sudo -S",
    "crane auth",
    "http -",
    "https -",
];

/// The program of a name, which may be a path.
pub(super) fn named(word: &[u8]) -> Option<&'static Program> {
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or(word);
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    if name.is_empty() || name.len() > 16 {
        return None;
    }
    PROGRAMS
        .iter()
        .find(|program| program.names.iter().any(|known| known.as_bytes() == name))
}
