/** The roles of a client's people, then those of the operator's staff. */
export const CLIENT_ROLES = ['owner', 'developer', 'viewer'] as const;
export const STAFF_ROLES = ['admin', 'approver', 'analyst', 'auditor'] as const;
export type ClientRole = (typeof CLIENT_ROLES)[number];
export type StaffRole = (typeof STAFF_ROLES)[number];
export type Role = ClientRole | StaffRole;
