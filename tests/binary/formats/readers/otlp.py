"""Reads OTLP/JSON lines with OpenTelemetry's own protobuf classes: python3 otlp.py FILE

OTLP/JSON differs from protobuf's own JSON in one thing: ids are hexadecimal, not base64. Prints what it counted as JSON.
"""

import base64
import json
import sys

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = ("traceId", "spanId", "parentSpanId")


def with_bytes(value):
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in IDS else with_bytes(item)
            for key, item in value.items()
        }
    return value


def main(path):
    spans, logs, added = [], [], set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            document = with_bytes(json.loads(line))
            if "resourceSpans" in document:
                request = ParseDict(document, ExportTraceServiceRequest())
                spans += [s for r in request.resource_spans for c in r.scope_spans for s in c.spans]
            else:
                request = ParseDict(document, ExportLogsServiceRequest())
                logs += [g for r in request.resource_logs for c in r.scope_logs for g in c.log_records]
    for span in spans:
        assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span
        assert all(len(link.trace_id) == 16 for link in span.links), span
    for item in spans + logs:
        added |= {a.key for a in item.attributes if a.key.startswith("backstory.export.")}
    print(json.dumps({"spans": len(spans), "logs": len(logs), "added": sorted(added)}))


main(sys.argv[1])
