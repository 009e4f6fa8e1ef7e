//! What a guard tells its operators of masked values, beside the audit: a metric, the field of a span and a warning to the
//! caller. Numbers by rule, never a value, a length or a hash.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use countersign_tests::guarded::{POLICY, Stack};
use http::Request;
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use kube::client::Body;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

/// What the subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The counts of `countersign.masked.values`, by their attributes.
fn masked(exported: &[ResourceMetrics]) -> BTreeMap<String, u64> {
    let metrics = exported.iter().flat_map(ResourceMetrics::scope_metrics);
    let metrics = metrics.flat_map(|scope| scope.metrics());
    let mut counts = BTreeMap::new();
    for metric in metrics.filter(|metric| metric.name() == "countersign.masked.values") {
        let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else {
            panic!("no counter: {metric:?}");
        };
        for point in sum.data_points() {
            let mut attributes: Vec<String> = point
                .attributes()
                .map(|pair| format!("{}={}", pair.key, pair.value))
                .collect();
            attributes.sort();
            counts.insert(attributes.join(" "), point.value());
        }
    }
    counts
}

#[tokio::test]
async fn masked_values_are_counted() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    opentelemetry::global::set_meter_provider(provider.clone());
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let stack = Stack::embedded(POLICY, |guard, _| guard);
    let secret =
        json!({"metadata": {"name": "db"}, "stringData": {"password": "canary-hunter2", "user": "canary-bob"}});
    let secret: Secret = serde_json::from_value(secret).unwrap();
    let beside: Api<Secret> = Api::namespaced(stack.admin.clone(), &stack.namespace);
    beside.create(&PostParams::default(), &secret).await.unwrap();

    let url = format!("/api/v1/namespaces/{}/secrets/db", stack.namespace);
    let request = Request::get(url).body(Body::empty()).unwrap();
    let answer = stack.agent.send(request).await.unwrap();
    let warning = answer.headers()["warning"].to_str().unwrap().to_owned();
    answer.into_body().collect().await.unwrap();
    assert_eq!(warning, "299 countersign \"2 values masked (secret-data 2)\"");

    // The record of the answer is written when its body has ended.
    let (events, _) = stack.audit().await;
    let annotations: Vec<String> = events.iter().map(|event| format!("{:?}", event.annotations)).collect();
    assert!(
        annotations.iter().any(|said| said.contains("secret-data")),
        "{annotations:?}"
    );

    provider.force_flush().unwrap();
    let counts = masked(&exporter.get_finished_metrics().unwrap());
    let expected = [("resource=secrets rule=secret-data".to_owned(), 2)];
    assert_eq!(counts, BTreeMap::from(expected));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("masked=2"), "{log}");
    for text in [log, format!("{:?}", exporter.get_finished_metrics().unwrap())] {
        assert!(!text.contains("canary"), "{text}");
    }
}
