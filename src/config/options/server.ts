import { z } from 'zod';
import { host, numeric, size, text } from '../fields.ts';
import { rateLimit } from './protection.ts';

const apiKey = z.strictObject({
  name: text.meta({ description: 'Whose key it is; shown instead of the key.' }),
  key: text.meta({ description: 'The key. Write `${VARIABLE}` rather than the key itself.' }),
  models: z
    .array(text)
    .default(['*'])
    .meta({ description: 'The models it may use; `*` stands for any run of characters.' }),
  rateLimit: rateLimit.optional().meta({ description: "A limit on this key's calls." }),
});

export const server = z.strictObject({
  host: host.prefault('127.0.0.1').meta({
    description:
      'The address to listen on. Any but a loopback address needs `apiKeys`, or `--insecure`.',
  }),
  port: numeric({ whole: true, min: 0, max: 65_535 })
    .prefault(4747)
    .meta({ description: 'The port to listen on; 0 takes any free one.' }),
  apiKeys: z.array(apiKey).prefault([]).meta({
    description: 'The keys that clients must show. None: open, which is for loopback only.',
  }),
  allowedHosts: z
    .array(z.string().regex(/^[^/\s]+$/, 'must be a host name, without http:// and path'))
    .default([])
    .meta({
      description:
        'Further `Host` names that are answered while no API key is set; loopback names always are.',
    }),
  cors: z
    .strictObject({
      origins: z
        .array(
          z
            .string()
            .regex(
              /^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/i,
              'must be an origin like http://localhost:3000, without a path',
            ),
        )
        .default([])
        .meta({
          description:
            'Browser origins that may call; `*` stands for any run of characters. None: no browser page may.',
        }),
    })
    .prefault({})
    .meta({ description: 'What browser pages may do.' }),
  maxBodySize: size
    .prefault('100mb')
    .meta({ description: 'Larger request bodies are refused with 413.' }),
  adminToken: text.optional().meta({
    description:
      "A fixed token for `/admin`, beside each run's own. Write `${VARIABLE}` rather than the token itself.",
  }),
});
