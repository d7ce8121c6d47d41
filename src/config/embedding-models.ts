import { servicesOf } from '../adapters/model-kinds.ts';

/**
 * Two embedding models, as far as their names tell, whose vectors can't be compared.
 * @returns The first two of the names that are unlike; `undefined` when none are, or nobody can say.
 */
export function unlikeEmbeddings(names: readonly string[]): readonly [string, string] | undefined {
  const embedding = names.filter((id) => servicesOf({ id })?.includes('embeddings'));
  const [first, ...others] = embedding;
  const other = others.find((name) => !alike(plainName(first!), plainName(name)));
  return first !== undefined && other !== undefined ? [first, other] : undefined;
}

/** A name may leave out the version or size that another one has. */
function alike(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long === short || long.startsWith(`${short}-`);
}

/** Formats of the same weights, and what servers add to a name. */
const NOISE =
  /-(latest|gguf|awq|gptq|mlx|onnx|fp?(16|32)|bf16|int[48]|i?q\d(-\w+)*|[48]bit)(?=-|$)/g;

/** `BAAI/bge-m3`, `bge-m3:latest` and `text-embedding-bge-m3` are one model under three servers. */
function plainName(name: string): string {
  return name
    .slice(name.lastIndexOf('/') + 1)
    .toLowerCase()
    .replaceAll(/[:_@ ]|\.(?=gguf$)/g, '-')
    .replaceAll(NOISE, '')
    .replace(/^text-embedding-(?!\d|ada)/, '');
}
