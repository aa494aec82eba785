"""Reads the configuration examples as what they are for would, and prints what is wrong with them as a JSON list.

check.py FOLDER: the folder of the examples.
"""

import json
import pathlib
import re
import sys

import yaml

folder = pathlib.Path(sys.argv[1])
wrong = []


def expect(holds, what):
    if not holds:
        wrong.append(what)


def collector():
    config = yaml.safe_load((folder / "otel-collector.yaml").read_text())
    pipelines = config["service"]["pipelines"]
    for name, pipeline in pipelines.items():
        for kind in ("receivers", "processors", "exporters"):
            for component in pipeline[kind]:
                expect(component in config[kind], f"{name}: {component} is not defined under {kind}")
    used = {(kind, one) for pipeline in pipelines.values() for kind in ("receivers", "processors", "exporters") for one in pipeline[kind]}
    for kind in ("receivers", "processors", "exporters"):
        for component in config[kind]:
            expect((kind, component) in used, f"{component} is defined and not used")
    for name, pipeline in pipelines.items():
        tees = [one for one in pipeline["exporters"] if one.endswith("/backstory")]
        expect(not tees or pipeline["exporters"] == tees, f"{name}: Backstory shares a pipeline with the backend")
        # Whoever stands first answers the receiver: a batch processor never tells it of an error behind itself.
        expect(not tees or pipeline["processors"][0].startswith("batch"), f"{name}: an error would reach the senders")
        expect(not tees or not any("sampl" in one for one in pipeline["processors"]), f"{name}: it is sampled")
    queue = config["exporters"]["otlp/backstory"]["sending_queue"]
    expect(queue["enabled"] and queue["queue_size"] > 0, "Backstory has no queue of its own")
    ports = [p["endpoint"].rsplit(":")[-1] for p in config["receivers"]["otlp"]["protocols"].values()]
    expect(config["exporters"]["otlp/backstory"]["endpoint"].rsplit(":")[-1] not in ports, "the Collector would send to itself")


def grafana():
    config = yaml.safe_load((folder / "grafana-datasource.yaml").read_text())
    expect(config["datasources"][0]["type"] == "jaeger", "the data source is no Jaeger")


def kubernetes():
    service, stateful = yaml.safe_load_all((folder / "kubernetes.yaml").read_text())
    expect((service["kind"], stateful["kind"]) == ("Service", "StatefulSet"), "the kinds")
    spec = stateful["spec"]
    labels = spec["template"]["metadata"]["labels"]
    expect(spec["selector"]["matchLabels"] == labels == service["spec"]["selector"], "selectors and labels")
    expect(spec["serviceName"] == service["metadata"]["name"], "the service's name")
    expect(spec["replicas"] == 1, "a folder has one writer")
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for port in service["spec"]["ports"]:
        expect(ports.get(port["targetPort"]) == port["port"], f"port {port['name']}")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        get = container[probe]["httpGet"]
        expect(get["port"] == "query" and get["path"] in ("/healthz", "/readyz"), probe)
    volumes = {volume["name"] for volume in pod["volumes"]} | {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    expect(set(mounts) == volumes, "volumes and mounts")
    arguments = container["args"]
    expect(arguments[arguments.index("--data") + 1] == mounts["data"], "the data is not on the volume")
    expect(arguments[arguments.index("--tokens") + 1] == mounts["tokens"] + "/tokens", "the tokens are not in the secret")
    listening = [argument for argument in arguments if argument.startswith("0.0.0.0:")]
    expect(sorted(int(one.rsplit(":")[-1]) for one in listening) == sorted(ports.values()), "the ports that it listens on")
    expect(pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"], "its rights")


# What systemd.unit, systemd.service, systemd.exec and systemd.kill know, as far as the example uses it.
DIRECTIVES = """
Unit: Description Documentation After
Service: ExecStart Restart RestartSec TimeoutStopSec LimitNOFILE DynamicUser StateDirectory StateDirectoryMode ConfigurationDirectory UMask
 CapabilityBoundingSet NoNewPrivileges ProtectSystem ProtectHome PrivateTmp PrivateDevices ProtectClock ProtectControlGroups
 ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectProc ProcSubset RestrictAddressFamilies
 RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality MemoryDenyWriteExecute RemoveIPC SystemCallArchitectures
 SystemCallFilter
Install: WantedBy
"""


def unit():
    known = {}
    for part in re.split(r"\n(?=\S)", DIRECTIVES.strip()):
        section, names = part.split(":", 1)
        known[section] = set(names.split())
    section, said = None, {}
    for line in (folder / "backstory.service").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header.group(1)
            expect(section in known, f"[{section}]")
            continue
        name, equals, value = line.partition("=")
        expect(equals and name in known.get(section, ()), f"[{section}] {line}")
        said[name] = value
    expect(said["DynamicUser"] == "yes" and said["NoNewPrivileges"] == "yes", "the unit's rights")
    expect(f"--data /var/lib/{said['StateDirectory']}" in said["ExecStart"], "the data is not in the unit's folder")


def dockerfile():
    text = (folder / "Dockerfile").read_text()
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line and not line.startswith("#")]
    words = [line.split(None, 1) for line in lines]
    known = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    expect({word for word, _ in words} <= known, "an instruction is unknown")
    stages = [rest for word, rest in words if word == "FROM"]
    expect(len(stages) == 2 and stages[0].endswith("AS build"), "the stages")
    last = max(at for at, (word, _) in enumerate(words) if word == "FROM")
    user = [rest for word, rest in words[last:] if word == "USER"]
    expect(user and not user[-1].startswith(("0", "root")), "it runs as root")
    command = json.loads([rest for word, rest in words if word == "CMD"][-1])
    exposed = [rest for word, rest in words if word == "EXPOSE"][-1].split()
    listening = [argument.rsplit(":")[-1] for argument in command if argument.startswith("0.0.0.0:")]
    expect(sorted(exposed) == sorted(listening), "the ports")


for check in (collector, grafana, kubernetes, unit, dockerfile):
    try:
        check()
    except Exception as error:
        wrong.append(f"{check.__name__}: {error!r}")
print(json.dumps(wrong))
