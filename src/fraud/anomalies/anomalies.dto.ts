import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { freeText, idSchema, visibleText } from '../../platform/http/validation';
import { adminAnomalyObject, anomalyObject, ANOMALY_SEVERITIES } from './anomaly';
import { ANOMALY_STATUSES } from './anomaly-state';

export const anomalyId = z.strictObject({ id: idSchema('ano') });

const filters = {
  status: z.enum(ANOMALY_STATUSES).optional(),
  severity: z.enum(ANOMALY_SEVERITIES).optional(),
  kind: visibleText(1, 100).optional(),
};
export const listAnomaliesQuery = listQuery('ano', filters);
export type ListAnomaliesQuery = z.output<typeof listAnomaliesQuery>;

export const adminListAnomaliesQuery = listQuery('ano', {
  ...filters,
  client: idSchema('cli').optional(),
  livemode: z.enum(['true', 'false']).transform((text) => text === 'true').optional(),
});
export type AdminListAnomaliesQuery = z.output<typeof adminListAnomaliesQuery>;

export const changeAnomalyBody = z
  .strictObject({
    status: z.enum(ANOMALY_STATUSES).optional()
      .meta({ description: 'From `open` to `investigating`, from there to `resolved` or `false_positive`, and back again from both.' }),
    note: freeText(1, 2000).nullable().optional().meta({ description: 'What you found; null takes it away.' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change');
export type ChangeAnomalyBody = z.output<typeof changeAnomalyBody>;

export const anomalyPage = pageOf(anomalyObject);
export const adminAnomalyPage = pageOf(adminAnomalyObject);
