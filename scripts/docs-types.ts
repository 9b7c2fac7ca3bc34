// JSON Schema → a type as TypeScript writes it, with the limits as comments. As much of JSON Schema as zod makes of ours.
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly pattern?: string;
}

export function typeText(schema: JsonSchema, indent = ""): string {
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return [...new Set(branches.map((branch) => typeText(branch, indent)))].join(" | ");
  switch (schema.type) {
    case "object":
      return objectText(schema, indent);
    case "array": {
      const item = typeText(schema.items ?? {}, indent);
      return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
    }
    case "integer":
      return "number";
    case undefined:
      return "unknown";
    default:
      return schema.type;
  }
}

function objectText({ properties = {}, required = [] }: JsonSchema, indent: string): string {
  const fields = Object.entries(properties);
  if (fields.length === 0) return "{}";
  const inner = `${indent}  `;
  const lines = fields.map(([name, field]) => {
    const notes = limits(field);
    const comment = notes.length === 0 ? "" : ` // ${notes.join(", ")}`;
    return `${inner}${name}${required.includes(name) ? "" : "?"}: ${typeText(field, inner)};${comment}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

const FORMATS: Readonly<Record<string, string>> = { uuid: "a UUID", "date-time": "ISO 8601, UTC" };

function limits(field: JsonSchema): string[] {
  const nullable = (field.anyOf ?? []).filter(({ type }) => type !== "null");
  const only = nullable.length === 1 ? nullable[0] : undefined;
  const { type, minLength, maxLength, minimum, maximum, format, pattern } = only ?? field;
  const notes: string[] = [];
  if (format !== undefined) notes.push(FORMATS[format] ?? format);
  else if (pattern !== undefined) notes.push(pattern);
  if (minLength !== undefined && minLength > 0 && maxLength !== undefined) {
    notes.push(`${minLength} to ${maxLength} characters`);
  } else if (maxLength !== undefined) notes.push(`at most ${maxLength} characters`);
  else if (minLength !== undefined && minLength > 0) notes.push(`at least ${minLength} characters`);
  if (type === "integer") {
    const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? String(minimum) : undefined;
    const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? String(maximum) : undefined;
    const range = low !== undefined && high !== undefined ? ` ${low} to ${high}` : low !== undefined ? ` ≥ ${low}` : "";
    notes.push(`whole${range}`);
  }
  return notes;
}
