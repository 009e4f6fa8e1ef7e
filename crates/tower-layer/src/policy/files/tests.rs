//! What becomes of changes to files.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Instant;

use tempfile::TempDir;

use super::*;

fn document(name: &str, namespace: &str) -> String {
    format!(
        r#"apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: {{ name: {name} }}
spec:
  subjects: [{{ group: agents }}]
  scopes: [{{ namespaces: [{namespace}] }}]
  rules: [{{ name: look, match: {{ effects: [read] }}, allow: {{}} }}]
"#
    )
}

fn folder(files: &[(&str, String)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn revision(documents: &[&str]) -> Digest {
    let sources: Vec<_> = documents.iter().map(|text| ("test.yaml", *text)).collect();
    PolicySet::from_yaml(&sources).unwrap().revision()
}

fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), text).unwrap();
}

#[test]
fn files_and_directories_are_one_policy() {
    let (a, b) = (document("a", "one"), document("b", "two"));
    let both = folder(&[("a.yaml", a.clone()), ("b.yml", b.clone())]);
    let whole = PolicyFiles::load([both.path()]).unwrap();
    assert_eq!(whole.revision(), revision(&[&a, &b]));
    let one = PolicyFiles::load([both.path().join("a.yaml")]).unwrap();
    assert_eq!(one.status().revision, revision(&[&a]));
    // The same file twice is one file.
    let twice = PolicyFiles::load([both.path().to_owned(), both.path().join("a.yaml")]).unwrap();
    assert_eq!(twice.revision(), whole.revision());
}

#[test]
fn what_is_no_policy_by_its_name_does_not_count() {
    let a = document("a", "one");
    let folder = folder(&[
        ("a.yaml", a.clone()),
        (".a.yaml.swp", "x".into()),
        (".#a.yaml", "x".into()),
        (".hidden.yaml", "x".into()),
        ("a.yaml~", "x".into()),
        ("README.md", "x".into()),
        ("a.test.yaml", "kind: PolicyTest".into()),
        ("a.test.yml", "kind: PolicyTest".into()),
    ]);
    fs::create_dir(folder.path().join("more.yaml")).unwrap();
    assert_eq!(PolicyFiles::load([folder.path()]).unwrap().revision(), revision(&[&a]));
    // Named, it is what its caller says it is.
    assert!(PolicyFiles::load([folder.path().join("a.test.yaml")]).is_err());
}

#[test]
fn tests_alone_are_no_policy() {
    let folder = folder(&[("a.test.yaml", "kind: PolicyTest".into())]);
    let error = PolicyFiles::load([folder.path()]).unwrap_err();
    assert!(matches!(error, PolicyFilesError::Empty { .. }), "{error}");
}

#[test]
fn what_can_not_be_loaded_at_first_is_an_error() {
    let empty = TempDir::new().unwrap();
    let missing = empty.path().join("missing.yaml");
    let nothing: [&Path; 0] = [];
    assert!(matches!(PolicyFiles::load(nothing), Err(PolicyFilesError::Nothing)));
    let error = PolicyFiles::load([empty.path()]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("there is no *.yaml or *.yml in this directory"),
        "{error}"
    );
    assert!(matches!(
        PolicyFiles::load([&missing]),
        Err(PolicyFilesError::Read { .. })
    ));
    write(&empty, "binary.yaml", [0xff, 0xfe]);
    assert!(matches!(
        PolicyFiles::load([empty.path()]),
        Err(PolicyFilesError::Read { .. })
    ));
    write(&empty, "binary.yaml", "kind: Policy");
    assert!(matches!(
        PolicyFiles::load([empty.path()]),
        Err(PolicyFilesError::Documents(_))
    ));
    write(&empty, "binary.yaml", "#".repeat(16 * 1024 * 1024 + 1));
    assert!(matches!(
        PolicyFiles::load([empty.path()]),
        Err(PolicyFilesError::TooLarge { .. })
    ));
    symlink("/dev/zero", empty.path().join("endless.yaml")).unwrap();
    assert!(matches!(
        PolicyFiles::load([empty.path()]),
        Err(PolicyFilesError::Read { .. } | PolicyFilesError::TooLarge { .. })
    ));
}

#[test]
fn a_broken_version_keeps_the_old_one_until_it_is_repaired() {
    let (old, new) = (document("a", "one"), document("a", "two"));
    let folder = folder(&[("a.yaml", old.clone())]);
    let files = PolicyFiles::load([folder.path()]).unwrap();
    let begun = files.status();
    assert_eq!(begun.error, None);

    write(&folder, "a.yaml", new.replace("effects", "effect"));
    assert!(files.reload().is_err());
    let broken = files.status();
    assert_eq!((broken.revision, broken.since), (begun.revision, begun.since));
    assert_eq!(files.revision(), revision(&[&old]));
    let problem = broken.error.clone().unwrap();
    assert!(
        problem.message.contains("a.yaml:7:34: unknown field `effect`"),
        "{}",
        problem.message
    );
    assert!(files.reload().is_err(), "for as long as it is broken");
    assert_eq!(files.status(), broken, "but that is no news");

    write(&folder, "a.yaml", &old);
    assert!(!files.reload().unwrap(), "put back");
    assert_eq!(files.status(), begun);

    write(&folder, "a.yaml", &new);
    assert!(files.reload().unwrap());
    assert_eq!(files.status().revision, revision(&[&new]));
    assert_eq!(files.status().error, None);
}

#[test]
fn a_set_is_replaced_as_a_whole_or_not_at_all() {
    let folder = folder(&[("a.yaml", document("a", "one")), ("b.yaml", document("b", "one"))]);
    let files = PolicyFiles::load([folder.path()]).unwrap();
    let before = files.revision();
    write(&folder, "a.yaml", document("a", "two"));
    write(&folder, "b.yaml", document("a", "two"));
    let error = files.reload().unwrap_err();
    assert!(
        error.to_string().contains("there is another document named `a`"),
        "{error}"
    );
    assert_eq!(files.revision(), before);
}

#[test]
fn what_is_deleted_goes_and_what_is_emptied_stays() {
    let a = document("a", "one");
    let folder = folder(&[("a.yaml", a.clone()), ("b.yaml", document("b", "one"))]);
    let files = PolicyFiles::load([folder.path()]).unwrap();
    fs::remove_file(folder.path().join("b.yaml")).unwrap();
    assert!(files.reload().unwrap());
    assert_eq!(files.revision(), revision(&[&a]));
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    assert!(matches!(files.reload(), Err(PolicyFilesError::Empty { .. })));
    assert_eq!(files.revision(), revision(&[&a]), "an empty mount is no policy");
    assert!(files.status().error.is_some());
    write(&folder, "a.yaml", &a);
    assert!(!files.reload().unwrap());
    assert_eq!(files.status().error, None);

    let named = PolicyFiles::load([folder.path().join("a.yaml")]).unwrap();
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    assert!(matches!(named.reload(), Err(PolicyFilesError::Read { .. })));
    assert_eq!(named.revision(), revision(&[&a]));
}

/// A ConfigMap as the kubelet mounts it: files are links through `..data`, which is swapped as a whole.
#[test]
fn a_mounted_config_map_that_is_swapped() {
    let (old, new) = (document("a", "one"), document("a", "two"));
    let mount = TempDir::new().unwrap();
    let at = |name: &str| mount.path().join(name);
    let version = |name: &str, text: &str| {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("a.yaml"), text).unwrap();
    };
    version("..2026_01", &old);
    symlink("..2026_01", at("..data")).unwrap();
    symlink("..data/a.yaml", at("a.yaml")).unwrap();
    let files = PolicyFiles::load([mount.path()]).unwrap();
    assert_eq!(files.revision(), revision(&[&old]));

    version("..2026_02", &new);
    symlink("..2026_02", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    fs::remove_dir_all(at("..2026_01")).unwrap();
    assert!(files.reload().unwrap());
    assert_eq!(files.revision(), revision(&[&new]));

    fs::remove_dir_all(at("..2026_02")).unwrap();
    assert!(
        matches!(files.reload(), Err(PolicyFilesError::Read { .. })),
        "links that lead nowhere"
    );
}

#[test]
fn a_file_that_is_being_written_is_left_until_it_is_whole() {
    let folder = folder(&[("a.yaml", document("a", "one"))]);
    let files = PolicyFiles::load([folder.path()]).unwrap();
    let before = files.status();
    let path = folder.path().join("a.yaml");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut count = 0_u32;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                count += 1;
                // Half of a document that another count completes is a policy nobody wrote.
                fs::write(&path, format!("# {count}\n{}", document("a", "two"))).unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        std::thread::sleep(Duration::from_millis(20));
        let found = files.reload();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(matches!(found, Err(PolicyFilesError::Changing)), "{found:?}");
    });
    assert_eq!(files.status(), before, "that is no error");
    assert!(files.reload().unwrap());
}

#[test]
fn a_watch_sees_changes_and_ends_with_its_last_handle() {
    let folder = folder(&[("a.yaml", document("a", "one"))]);
    let files = PolicyFiles::load([folder.path()])
        .unwrap()
        .watch_every(Duration::from_millis(20))
        .unwrap();
    let new = document("a", "two");
    write(&folder, "a.yaml", &new);
    let begun = Instant::now();
    while files.revision() != revision(&[&new]) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the change was not seen");
        std::thread::sleep(Duration::from_millis(5));
    }
    let inner = Arc::downgrade(&files.inner);
    drop(files);
    while inner.strong_count() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the watch goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}
