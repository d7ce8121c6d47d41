import type { Dialect } from '../dialect.ts';
import { eventReader, readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { eventWriter, writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';

/** Anthropic's Messages. */
export const messages: Dialect = {
  readRequest,
  writeRequest,
  eventReader,
  readAnswer,
  eventWriter,
  writeAnswer,
  names: {
    reasoning_effort: 'thinking',
    response_format: 'output_config.format',
    stop: 'stop_sequences',
    user: 'metadata.user_id',
    parallel_tool_calls: 'tool_choice.disable_parallel_tool_use',
    file: 'document',
  },
};
