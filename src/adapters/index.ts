import type { Adapter } from './adapter.ts';
import { gpustack } from './gpustack.ts';
import { localai } from './localai.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { PRESETS, type PresetName } from './presets.ts';
import { vllm } from './vllm.ts';
import { xinference } from './xinference.ts';

const OWN = { openai, ollama, vllm, xinference, localai, gpustack };
export type AdapterName = keyof typeof OWN | PresetName;

/** The adapters that come with jairouter, by the name that `adapter:` takes in the config. */
export const ADAPTERS: Readonly<Record<AdapterName, Adapter>> = { ...OWN, ...PRESETS };
