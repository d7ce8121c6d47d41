import { defineConfig } from 'jairouter';

// jairouter: one endpoint for every model you can reach. Start it with `jairouter serve`.
// Each option is explained in docs/configuration.md. '${VAR}' reads the environment, or an `.env`
// file beside this one: keys don't belong in here.
export default defineConfig({
  server: {
    // Tools talk to http://127.0.0.1:4747/v1
    port: 4747,
    // Other machines may only come in with a key:
    // host: '0.0.0.0',
    // apiKeys: [{ name: 'me', key: '${JAIROUTER_KEY}' }],
  },

  // Your backends, each under a name of your choice.
  // Adapters: openai (and all that is compatible), ollama, vllm, llamacpp, lmstudio, sglang, localai,
  // gpustack, xinference, tei, infinity, anthropic, azure, gemini, and providers by name (docs/backends.md).
  instances: {
    laptop: {
      adapter: 'ollama',
      baseUrl: 'http://127.0.0.1:11434',
    },

    // gpu: {
    //   adapter: 'vllm',
    //   baseUrl: 'http://10.0.0.5:8000',
    //   apiKey: '${VLLM_KEY}',
    //   weight: 3, // its share of the work
    // },
    // cloud: {
    //   adapter: 'openai',
    //   apiKey: '${OPENAI_API_KEY}',
    //   models: ['gpt-*', 'text-embedding-3-*'], // unset: the backend is asked
    //   priority: 9, // lower first: this one serves when no other can
    // },
  },

  // Model names of your own, for one or more INSTANCE/MODEL.
  // models: {
  //   coder: {
  //     targets: ['gpu/Qwen/Qwen3-Coder-30B', 'laptop/qwen3-coder:30b'],
  //     fallback: ['gpt-5-mini'],
  //   },
  // },

  // What holds for one kind of work: chat, embeddings, rerank, speech, transcription,
  // imageGeneration, imageEdit.
  // services: {
  //   chat: {
  //     defaultModel: 'coder', // for calls that name no model
  //     loadBalance: { strategy: 'least-connections', preferLoaded: true },
  //   },
  // },

  // What holds everywhere, unless a service or an instance says otherwise.
  // defaults: {
  //   timeouts: { connect: '3s', firstByte: '10m' },
  //   retry: { attempts: 3 },
  // },
});
