import { RequestRefused } from '../../adapters/adapter.ts';
import { asObject, type JsonObject } from '../../adapters/json.ts';

/**
 * Refuses a request that leaves its conversation to be kept by Anthropic's servers, in the words upon
 * which its SDK sends the whole conversation instead. Another backend would not miss what is not there.
 * @throws RequestRefused
 */
export function refuseThread(fields: JsonObject): void {
  if (!asObject(fields['thread'])) return;
  throw new RequestRefused(
    'This backend keeps no threads: send the whole conversation, without "thread".',
    'thread',
    { error_code: 'thread_unsupported_request' },
  );
}
