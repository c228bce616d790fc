/** A day of the report: from midnight to midnight UTC, in one mode. */
export interface ReportDay {
  /** `YYYY-MM-DD`. */
  day: string;
  livemode: boolean;
  from: Date;
  /** The first moment that is not part of it. */
  to: Date;
}

const DAY_MS = 24 * 3_600_000;
const FORM = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a text is a day that exists in the calendar. */
export function isDay(text: string): boolean {
  if (!FORM.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && dayOf(at) === text;
}

/** The UTC day of a moment. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** The UTC day before that of a moment. */
export function dayBefore(at: Date): string {
  return dayOf(new Date(at.getTime() - DAY_MS));
}

/** The bounds of a day. */
export function reportDay(day: string, livemode: boolean): ReportDay {
  const from = new Date(`${day}T00:00:00Z`);
  return { day, livemode, from, to: new Date(from.getTime() + DAY_MS) };
}
