//! The fields of Kubernetes' own kinds, and of the names that a condition reads.

use std::sync::LazyLock;

use super::shape::Shape;

/// Made by `cargo run -p countersign-tests --bin kinds` from what the API server says of itself; a test compares them.
const KINDS: &str = include_str!("kinds.txt");

/// A kind, in any version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct KindRef<'k> {
    /// API group, empty for core.
    pub(in crate::policy) group: &'k str,
    /// Kind, such as `Deployment`.
    pub(in crate::policy) kind: &'k str,
}

/// The fields of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Definition(usize);

/// What the table says.
struct Table {
    objects: Vec<Object>,
    /// One definition for each version of a kind, the oldest first.
    kinds: Vec<(KindRef<'static>, Vec<Definition>)>,
}

struct Object {
    title: &'static str,
    fields: Vec<(&'static str, &'static str)>,
}

/// What the guard's own names have, in the table's own words; their numbers are those of the constants below.
const OURS: &str = "\
0 request kind:@1 resource:@2 requestKind:@1 requestResource:@2 subResource:s requestSubResource:s name:s namespace:s \
operation:s userInfo:@3 dryRun:b options:*
1 request.kind group:s version:s kind:s
2 request.resource group:s version:s resource:s
3 request.userInfo username:s uid:s groups:[s extra:{*
4 subject user:s groups:[s onBehalfOf:* session:*
5 exec argv:[s container:s stdin:b stdout:b stderr:b tty:b shell:b
";

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(OURS, KINDS));

impl Table {
    fn read(ours: &'static str, kinds: &'static str) -> Self {
        let mut table = Self {
            objects: Vec::new(),
            kinds: Vec::new(),
        };
        for line in ours.lines().chain(kinds.lines()) {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("kind"), Some(group_version)) => {
                    let (group, _) = group_version.rsplit_once('/').unwrap_or(("", group_version));
                    let (Some(kind), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) else {
                        continue;
                    };
                    let kind = KindRef { group, kind };
                    match table.kinds.iter_mut().find(|(known, _)| *known == kind) {
                        Some((_, definitions)) => definitions.push(Definition(number)),
                        None => table.kinds.push((kind, vec![Definition(number)])),
                    }
                }
                (Some("#"), _) | (_, None) => {}
                (Some(_), Some(title)) => table.objects.push(Object {
                    title,
                    fields: words.filter_map(|word| word.split_once(':')).collect(),
                }),
                (None, _) => {}
            }
        }
        table
    }
}

/// The definitions of a kind, one for each version that it has; none if it is not Kubernetes' own.
pub(super) fn kind(kind: KindRef<'_>) -> &'static [Definition] {
    let found = TABLE.kinds.iter().find(|(known, _)| *known == kind);
    found.map_or(&[], |(_, definitions)| definitions)
}

impl Definition {
    pub(super) const REQUEST: Self = Self(0);
    pub(super) const SUBJECT: Self = Self(4);
    pub(super) const EXEC: Self = Self(5);

    /// A Namespace.
    pub(super) fn namespace() -> Option<Self> {
        kind(KindRef {
            group: "",
            kind: "Namespace",
        })
        .last()
        .copied()
    }

    fn object(self) -> Option<&'static Object> {
        TABLE.objects.get(self.0)
    }

    /// The name in messages.
    pub(super) fn title(self) -> &'static str {
        self.object().map_or("", |object| object.title)
    }

    pub(super) fn fields(self) -> impl Iterator<Item = &'static str> {
        self.object()
            .into_iter()
            .flat_map(|object| object.fields.iter().map(|(name, _)| *name))
    }

    /// The shape of a field, if there is one of that name.
    pub(super) fn field(self, name: &str) -> Option<Shape> {
        let (_, ty) = self.object()?.fields.iter().find(|(known, _)| *known == name)?;
        Some(shape(ty))
    }
}

/// `s` text, `i` int, `b` bool, `@7` an object, `[` a list, `{` a map, `*` anything.
fn shape(ty: &str) -> Shape {
    if let Some(of) = ty.strip_prefix('[') {
        return Shape::list(shape(of));
    }
    if let Some(of) = ty.strip_prefix('{') {
        return Shape::map(shape(of));
    }
    if let Some(number) = ty.strip_prefix('@') {
        return number
            .parse()
            .map_or(Shape::Dyn, |number| Shape::Object(Definition(number)));
    }
    match ty {
        "s" => Shape::Text,
        "i" => Shape::Int,
        "b" => Shape::Bool,
        _ => Shape::Dyn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (index, line) in OURS.lines().enumerate() {
            assert_eq!(line.split(' ').next(), Some(index.to_string().as_str()));
        }
        assert_eq!(
            (Definition::SUBJECT.title(), Definition::EXEC.title()),
            ("subject", "exec")
        );
        let pod = kind(KindRef { group: "", kind: "Pod" });
        assert_eq!(pod.len(), 1);
        assert_eq!(
            kind(KindRef {
                group: "autoscaling",
                kind: "HorizontalPodAutoscaler"
            })
            .len(),
            2
        );
        assert!(
            kind(KindRef {
                group: "example.com",
                kind: "Pod"
            })
            .is_empty()
        );
        for (index, object) in TABLE.objects.iter().enumerate() {
            for (name, ty) in &object.fields {
                let inner = ty.trim_start_matches(['[', '{']);
                let known = match inner.strip_prefix('@') {
                    Some(number) => number.parse::<usize>().unwrap() < TABLE.objects.len(),
                    None => matches!(inner, "s" | "i" | "b" | "*"),
                };
                assert!(known, "{index} {name}: {ty}");
            }
        }
    }
}
