import type { Adapter } from './adapter.ts';
import { anthropic } from './anthropic.ts';
import { azure } from './azure.ts';
import { gemini } from './gemini.ts';
import { gpustack } from './gpustack.ts';
import { infinity } from './infinity.ts';
import { llamacpp } from './llamacpp.ts';
import { lmstudio } from './lmstudio.ts';
import { localai } from './localai.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { PRESETS, type PresetName } from './presets.ts';
import { sglang } from './sglang.ts';
import { tei } from './tei.ts';
import { vllm } from './vllm.ts';
import { xinference } from './xinference.ts';

/** Those with a file of their own, in the order in which discovery asks them. */
const OWN = {
  openai,
  ollama,
  vllm,
  xinference,
  localai,
  gpustack,
  llamacpp,
  lmstudio,
  sglang,
  tei,
  infinity,
  anthropic,
  azure,
  gemini,
};
export type AdapterName = keyof typeof OWN | PresetName;

/** The adapters that come with jairouter, by the name that `adapter:` takes in the config. */
export const ADAPTERS: Readonly<Record<AdapterName, Adapter>> = { ...OWN, ...PRESETS };
