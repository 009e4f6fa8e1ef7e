//! Whether a command runs a shell, and so runs what nobody can read off its arguments.

/// Programs that read commands.
const SHELLS: [&str; 17] = [
    "sh",
    "bash",
    "dash",
    "ash",
    "zsh",
    "ksh",
    "mksh",
    "csh",
    "tcsh",
    "fish",
    "busybox",
    "toybox",
    "pwsh",
    "powershell",
    "cmd",
    "rbash",
    "hush",
];

/// Whether the program is a shell, or one is named by an argument, as in `env bash -c …`, `timeout 5 sh` and
/// `nsenter … /bin/sh`. An argument that only looks like one counts too: better a shell too many than one too few.
pub(super) fn names_a_shell(command: &[&str]) -> bool {
    command.iter().any(|argument| {
        let name = argument.rsplit(['/', '\\']).next().unwrap_or(argument);
        let name = name.strip_suffix(".exe").unwrap_or(name);
        // A login shell's name begins with a dash.
        let name = name.strip_prefix('-').unwrap_or(name);
        SHELLS.iter().any(|shell| name.eq_ignore_ascii_case(shell))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells() {
        let yes: [&[&str]; 6] = [
            &["sh"],
            &["/bin/bash", "-c", "ls"],
            &["env", "A=b", "sh", "-c", "ls"],
            &["/lib64/ld-linux-x86-64.so.2", "/bin/sh"],
            &["busybox", "wget", "x"],
            &["C:\\Windows\\System32\\cmd.exe"],
        ];
        for command in yes {
            assert!(names_a_shell(command), "{command:?}");
        }
        let no: [&[&str]; 4] = [
            &[],
            &["ls", "-la"],
            &["cat", "/etc/shells"],
            &["curl", "http://bash.example/x"],
        ];
        for command in no {
            assert!(!names_a_shell(command), "{command:?}");
        }
    }
}
