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
    /// In the word behind one that ends so: `//host/:_authToken x`.
    Ending,
    /// The n-th word that is no flag, behind the words that the rule needs.
    Nth(u8),
    /// Each word that is no flag, behind the words that the rule needs.
    Each,
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
    /// All of it, unless it is a share or a flag of Windows: `\\host\share`, `/add`.
    NoShare,
    /// All of it, if no word of a sentence is like that: the program may only be talked about.
    Likely,
    /// Nothing: a flag with a value that is no secret, and no word that counts.
    Nothing,
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

/// Flags whose values say nothing.
const fn skipped(flags: &'static [&'static str]) -> Rule {
    rule(&[], flags, How::Next, Take::Nothing)
}

/// Most rules of a program.
pub(super) const MAX_RULES: usize = 6;

const LOGIN: &[Rule] = &[
    rule(&["login"], &["-p"], How::Either, Take::Whole),
    rule(&["keyvault", "secret", "set"], &["--value"], How::Either, Take::Whole),
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
            "mysqlimport",
            "mysqlcheck",
            "mysqlshow",
            "mysqlpump",
            "mysqlslap",
            "mariadb",
            "mariadb-dump",
            "mysqlbinlog",
            "mysqlsh",
        ],
        rules: &[rule(&[], &["-p"], How::Attached, Take::Whole)],
    },
    Program {
        names: &["mysqladmin", "mariadb-admin"],
        rules: &[
            rule(&[], &["-p"], How::Attached, Take::Whole),
            rule(&["password"], &[], How::Nth(1), Take::Whole),
        ],
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
            "docker", "podman", "nerdctl", "buildah", "skopeo", "oras", "regctl", "crane", "helm", "oc", "az", "cf",
            "harbor",
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
            rule(&["passwd"], &["-salt", "-in"], How::Next, Take::Nothing),
            rule(&["passwd"], &[], How::Nth(1), Take::Likely),
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
            "ncftp",
            "ncftpget",
            "ncftpput",
            "twine",
            "nxc",
            "winexe",
            "hydra",
            "rdesktop",
            "psexec",
            "smbmap",
            "useradd",
            "usermod",
            "rabbitmqadmin",
            "cypher-shell",
            "couchbase-cli",
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
            rule(&["kv", "put|patch"], &[], How::Each, Take::Behind(b'=')),
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
        names: &["smbclient", "rpcclient", "smbget"],
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
            rule(&["config", "add"], &[], How::Nth(4), Take::Whole),
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
            rule(&["use"], &["/user:", "/USER:"], How::After, Take::NoShare),
            rule(&["use"], &[], How::Nth(2), Take::Likely),
            rule(&["use"], &[], How::Nth(3), Take::Likely),
            rule(&["user"], &[], How::Nth(2), Take::Likely),
            rule(&[], &["-U", "--user"], How::Either, Take::Behind(b'%')),
        ],
    },
    Program {
        names: &["npm", "yarn", "pnpm"],
        rules: &[rule(
            &["set"],
            &["_authToken", "_auth", "_password", "npmAuthToken", "npmAuthIdent"],
            How::Ending,
            Take::Whole,
        )],
    },
    Program {
        names: &["ssh-keygen"],
        rules: &[rule(&[], &["-N", "-P"], How::Next, Take::Whole)],
    },
    Program {
        names: &["nmcli"],
        rules: &[rule(
            &[],
            &["password", "wep-key", ".psk", ".password"],
            How::Ending,
            Take::Whole,
        )],
    },
    Program {
        names: &["wg", "iwconfig"],
        rules: &[rule(
            &[],
            &["preshared-key", "private-key", "key"],
            How::Next,
            Take::Whole,
        )],
    },
    Program {
        names: &["wpa_passphrase"],
        rules: &[rule(&[], &[], How::Nth(2), Take::Whole)],
    },
    Program {
        names: &[
            "sonar-scanner",
            "sonarscanner",
            "dotnet-sonarscanner",
            "mvn",
            "mvnw",
            "gradle",
            "gradlew",
        ],
        rules: &[rule(
            &[],
            &["-Dsonar.login=", "/d:sonar.login=", "/d:sonar.token="],
            How::Attached,
            Take::Whole,
        )],
    },
    Program {
        names: &["samba-tool"],
        rules: &[rule(&["user", "create|add"], &[], How::Nth(2), Take::Whole)],
    },
    Program {
        names: &["cargo", "snyk", "wandb", "heroku", "ngrok"],
        rules: &[
            skipped(&[
                "--registry",
                "--host",
                "--index",
                "--base-url",
                "--config",
                "--app",
                "-a",
            ]),
            rule(
                &["login|auth|auth:token|authtoken|add-authtoken"],
                &[],
                How::Nth(1),
                Take::Likely,
            ),
        ],
    },
    Program {
        names: &["bw"],
        rules: &[
            skipped(&["--method", "--code", "--session"]),
            rule(&["unlock"], &[], How::Nth(1), Take::Likely),
            rule(&["login"], &[], How::Nth(2), Take::Likely),
        ],
    },
    Program {
        names: &["doctl"],
        rules: &[rule(&["auth", "init"], &["-t"], How::Either, Take::Whole)],
    },
    Program {
        names: &["codecov", "vercel"],
        rules: &[flag(&["-t"])],
    },
    Program {
        names: &["newrelic"],
        rules: &[rule(&["install"], &["-k"], How::Either, Take::Whole)],
    },
    Program {
        names: &["nats-server"],
        rules: &[flag(&["--auth", "--pass"])],
    },
    Program {
        names: &["netlify"],
        rules: &[flag(&["--auth"])],
    },
    Program {
        names: &["gem"],
        rules: &[flag(&["--otp"])],
    },
    Program {
        names: &["pulumi"],
        rules: &[rule(&["config", "--secret"], &[], How::Nth(2), Take::Whole)],
    },
    Program {
        names: &["mkpasswd"],
        rules: &[
            skipped(&["-m", "--method", "-S", "--salt", "-R", "--rounds"]),
            rule(&[], &[], How::Nth(1), Take::Likely),
        ],
    },
    Program {
        names: &["grafana-cli"],
        rules: &[rule(&["reset-admin-password"], &[], How::Nth(1), Take::Whole)],
    },
    Program {
        names: &["mosquitto_passwd"],
        rules: &[rule(&["-b"], &[], How::Nth(3), Take::Whole)],
    },
    Program {
        names: &["ansible-vault"],
        rules: &[
            skipped(&[
                "--name",
                "-n",
                "--vault-id",
                "--vault-password-file",
                "--encrypt-vault-id",
            ]),
            rule(&["encrypt_string"], &[], How::Nth(1), Take::Likely),
        ],
    },
    Program {
        names: &["aws"],
        rules: &[rule(
            &["put-parameter", "SecureString|--type=SecureString"],
            &["--value"],
            How::Either,
            Take::Whole,
        )],
    },
    Program {
        names: &["fly", "flyctl"],
        rules: &[rule(&["secrets", "set|import"], &[], How::Each, Take::Behind(b'='))],
    },
    Program {
        names: &["gh"],
        rules: &[rule(&["secret", "set"], &["-b", "--body"], How::Either, Take::Whole)],
    },
    Program {
        names: &["rclone"],
        rules: &[rule(&["obscure"], &[], How::Nth(1), Take::Likely)],
    },
];

/// The program of a name, which may be a path.
pub(super) fn named(word: &[u8]) -> Option<&'static Program> {
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or(word);
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    if name.is_empty() || name.len() > 20 {
        return None;
    }
    PROGRAMS
        .iter()
        .find(|program| program.names.iter().any(|known| known.as_bytes() == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_has_more_rules_than_are_counted() {
        for program in PROGRAMS {
            assert!(program.rules.len() <= MAX_RULES, "{:?}", program.names);
        }
    }

    #[test]
    fn every_name_belongs_to_one_program() {
        let mut names: Vec<&str> = PROGRAMS.iter().flat_map(|program| program.names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
