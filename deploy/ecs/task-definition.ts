/**
 * Parley on ECS with Fargate, typed; `npm run deploy:files` writes `ecs-task-definition.json` from it. Put your account,
 * region and names in the places of 000000000000, eu-central-1 and parley.
 */
import type { RegisterTaskDefinitionCommandInput } from "@aws-sdk/client-ecs";

const secret = (name: string) => ({
  name,
  valueFrom: `arn:aws:secretsmanager:eu-central-1:000000000000:secret:parley:${name}::`,
});

export const taskDefinition: RegisterTaskDefinitionCommandInput = {
  family: "parley",
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"],
  runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
  cpu: "1024",
  memory: "2048",
  executionRoleArn: "arn:aws:iam::000000000000:role/parley-execution",
  // s3:GetObject, PutObject, DeleteObject on the files' prefix, ListBucket on the bucket.
  taskRoleArn: "arn:aws:iam::000000000000:role/parley-task",
  volumes: [{ name: "data" }, { name: "tmp" }],
  containerDefinitions: [
    {
      name: "parley",
      image: "000000000000.dkr.ecr.eu-central-1.amazonaws.com/parley:0.1.0",
      essential: true,
      user: "10001:10001",
      readonlyRootFilesystem: true,
      linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
      portMappings: [{ name: "http", containerPort: 8765, protocol: "tcp", appProtocol: "http" }],
      mountPoints: [
        { sourceVolume: "data", containerPath: "/data" },
        { sourceVolume: "tmp", containerPath: "/tmp" },
      ],
      environment: [
        { name: "PARLEY_TRUST_PROXY", value: "1" },
        // The target group's deregistration delay is longer.
        { name: "PARLEY_DRAIN_DELAY_MS", value: "15000" },
        { name: "PARLEY_DRAIN_MS", value: "25000" },
        { name: "PARLEY_ALLOWED_ORIGINS", value: "https://parley.example" },
        { name: "PARLEY_S3_BUCKET", value: "parley-files" },
        { name: "PARLEY_S3_REGION", value: "eu-central-1" },
      ],
      secrets: ["DATABASE_URL", "REDIS_URL", "PARLEY_ACCESS_TOKEN", "ANTHROPIC_API_KEY"].map(secret),
      // Fargate's most is 120 s.
      stopTimeout: 60,
      healthCheck: {
        command: [
          "CMD",
          "node",
          "-e",
          "fetch('http://127.0.0.1:8765/livez').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))",
        ],
        interval: 10,
        timeout: 5,
        retries: 3,
        startPeriod: 30,
      },
      ulimits: [{ name: "nofile", softLimit: 65_536, hardLimit: 65_536 }],
      logConfiguration: {
        logDriver: "awslogs",
        options: {
          "awslogs-group": "/ecs/parley",
          "awslogs-region": "eu-central-1",
          "awslogs-stream-prefix": "parley",
        },
      },
    },
  ],
};
