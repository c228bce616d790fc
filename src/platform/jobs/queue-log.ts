import { Logger } from '@nestjs/common';
import { Logger as QueueLogger } from 'graphile-worker';

const logger = new Logger('JobQueue');

/**
 * The queue's own complaints in the process's log; by itself it would write plain lines to the console. What becomes of single jobs is
 * told by their tasks.
 */
export const queueLog = new QueueLogger((scope) => (level, message, meta) => {
  const isComplaint = level === 'error' || level === 'warning';
  if (isComplaint && !scope.workerId) logger.warn({ err: meta?.error, msg: `job queue: ${message}` });
});
