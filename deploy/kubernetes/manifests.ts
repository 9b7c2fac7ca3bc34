/**
 * Parley on Kubernetes, typed; `npm run deploy:files` writes `parley.yaml` from it, and the check fails when that is not
 * up to date. Secrets are named here, never held: make `parley-secrets` yourself.
 */
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2.d.ts";
import type { EnvVar, Probe, Service, ServiceAccount } from "kubernetes-types/core/v1.d.ts";
import type { Ingress, NetworkPolicy } from "kubernetes-types/networking/v1.d.ts";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1.d.ts";

const PORT = 8765;
const labels = { app: "parley" };
const metadata = { name: "parley", labels };

/** Readiness fails so long before the listener closes: endpoints and balancers need that to notice. */
const DRAIN_DELAY_MS = 10_000;
const DRAIN_MS = 25_000;
/** The stop itself, and the close behind it. */
const GRACE_SECONDS = Math.ceil((DRAIN_DELAY_MS + DRAIN_MS) / 1000) + 10;

const secret = (name: string, optional = false): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: "parley-secrets", key: name, optional } },
});
const probe = (path: string, more: Omit<Probe, "httpGet">): Probe => ({ httpGet: { path, port: "http" }, ...more });

export const serviceAccount: ServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata,
  automountServiceAccountToken: false,
};

export const deployment: Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata,
  spec: {
    // The autoscaler owns the number.
    selector: { matchLabels: labels },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    minReadySeconds: 10,
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: "parley",
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: GRACE_SECONDS,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10_001,
          runAsGroup: 10_001,
          fsGroup: 10_001,
          seccompProfile: { type: "RuntimeDefault" },
        },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "topology.kubernetes.io/zone",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: labels },
          },
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: labels },
          },
        ],
        containers: [
          {
            name: "parley",
            image: "registry.example/parley:0.1.0",
            ports: [{ name: "http", containerPort: PORT }],
            env: [
              { name: "PARLEY_NODE_ID", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
              { name: "PARLEY_TRUST_PROXY", value: "1" },
              { name: "PARLEY_DRAIN_DELAY_MS", value: String(DRAIN_DELAY_MS) },
              { name: "PARLEY_DRAIN_MS", value: String(DRAIN_MS) },
              { name: "PARLEY_ALLOWED_ORIGINS", value: "https://parley.example" },
              secret("DATABASE_URL"),
              secret("REDIS_URL"),
              secret("PARLEY_ACCESS_TOKEN"),
              secret("PARLEY_S3_BUCKET"),
              // Or PARLEY_S3_ENDPOINT and keys, where the pod has no role.
              { name: "PARLEY_S3_REGION", value: "eu-central-1" },
              secret("ANTHROPIC_API_KEY", true),
              secret("OPENAI_API_KEY", true),
              secret("GEMINI_API_KEY", true),
            ],
            resources: { requests: { cpu: "500m", memory: "384Mi" }, limits: { memory: "1Gi" } },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            volumeMounts: [
              { name: "data", mountPath: "/data" },
              { name: "tmp", mountPath: "/tmp" },
            ],
            // A first start migrates the database and may wait for another node that does.
            startupProbe: probe("/livez", { periodSeconds: 2, failureThreshold: 60 }),
            // Never asks Redis or Postgres: a restart mends neither.
            livenessProbe: probe("/livez", { periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 }),
            // Has its own hysteresis, so that a blip ejects no node, let alone all of them.
            readinessProbe: probe("/readyz", { periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 1 }),
          },
        ],
        volumes: [
          { name: "data", emptyDir: { sizeLimit: "1Gi" } },
          { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
        ],
      },
    },
  },
};

export const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata,
  spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
};

export const ingress: Ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    ...metadata,
    annotations: {
      // ≥ 3 heartbeats of 25 s: a proxy that gives up first cuts quiet readers off.
      "nginx.ingress.kubernetes.io/proxy-read-timeout": "90",
      "nginx.ingress.kubernetes.io/proxy-send-timeout": "90",
      "nginx.ingress.kubernetes.io/proxy-body-size": "11m",
      // Any node serves any session.
      "nginx.ingress.kubernetes.io/affinity": "",
      // The controller's own worker_shutdown_timeout (240 s by default; 10 s in old versions) must be longer than a drain.
    },
  },
  spec: {
    ingressClassName: "nginx",
    tls: [{ hosts: ["parley.example"], secretName: "parley-tls" }],
    rules: [
      {
        host: "parley.example",
        http: {
          paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "parley", port: { name: "http" } } } }],
        },
      },
    ],
  },
};

export const autoscaler: HorizontalPodAutoscaler = {
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata,
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "parley" },
    minReplicas: 3,
    maxReplicas: 20,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } }],
    // Each pod that goes moves its connections: slowly, one at a time.
    behavior: {
      scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: "Pods", value: 1, periodSeconds: 120 }] },
    },
  },
};

export const disruptionBudget: PodDisruptionBudget = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata,
  spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
};

export const networkPolicy: NetworkPolicy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata,
  spec: {
    podSelector: { matchLabels: labels },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      {
        from: [
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } },
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } },
        ],
        ports: [{ port: PORT }],
      },
    ],
    egress: [
      {
        ports: [
          { port: 53, protocol: "UDP" },
          { port: 53, protocol: "TCP" },
        ],
      },
      // Postgres, Redis, and models and S3 over https; narrow them to your addresses.
      { ports: [{ port: 5432 }, { port: 6379 }, { port: 443 }] },
    ],
  },
};
