"""Reads everything that a cluster has with the official Python client, which decodes each answer into its types.

The kubeconfig is that of KUBECONFIG. Prints one line of JSON: how many objects of how many kinds were decoded, and what
the data of the Secret that the arguments name (NAMESPACE NAME) decodes to. Any answer that the client can't decode is an
error.
"""

import base64
import inspect
import json
import sys

from kubernetes import client, config, watch

APIS = [
    client.AdmissionregistrationV1Api,
    client.ApiextensionsV1Api,
    client.ApiregistrationV1Api,
    client.AppsV1Api,
    client.AutoscalingV2Api,
    client.BatchV1Api,
    client.CertificatesV1Api,
    client.CoordinationV1Api,
    client.CoreV1Api,
    client.DiscoveryV1Api,
    # Not EventsV1Api: it takes no event without an eventTime, which is how the kubelet writes them. CoreV1Api reads all.
    client.FlowcontrolApiserverV1Api,
    client.NetworkingV1Api,
    client.NodeV1Api,
    client.PolicyV1Api,
    client.RbacAuthorizationV1Api,
    client.SchedulingV1Api,
    client.StorageV1Api,
]


def lists(api):
    """The calls that list a kind in the whole cluster: those that need no argument."""
    for name, call in inspect.getmembers(api, inspect.ismethod):
        if name.startswith("list_") and not name.endswith("_with_http_info") and "namespaced_" not in name:
            yield name, call


def main(namespace, name):
    config.load_kube_config()
    objects, kinds = 0, 0
    for api in APIS:
        for called, call in lists(api()):
            try:
                found = call(limit=500)
            except client.ApiException as error:
                # The client knows kinds that a server of an older release does not serve.
                if error.status == 404:
                    continue
                raise
            if not hasattr(found, "items"):
                raise TypeError(f"{called} answers {type(found)}")
            objects += len(found.items)
            kinds += 1
    core = client.CoreV1Api()
    events = 0
    for event in watch.Watch().stream(core.list_namespaced_pod, namespace, timeout_seconds=1):
        if not isinstance(event["object"], client.V1Pod):
            raise TypeError(f"an event with {type(event['object'])}")
        events += 1
    custom = client.CustomObjectsApi().list_cluster_custom_object("planted.example.com", "v1", "widgets")
    secret = core.read_namespaced_secret(name, namespace)
    print(
        json.dumps(
            {
                "objects": objects,
                "kinds": kinds,
                "events": events,
                "custom": len(custom["items"]),
                "data": {key: base64.b64decode(value).decode() for key, value in secret.data.items()},
            }
        )
    )


main(*sys.argv[1:])
