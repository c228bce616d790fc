/** A login that is being looked at: who it is for, and whether the device has logged in there before. */
export interface LoginLook {
  personId: string;
  deviceKnown: boolean;
}

/** Tells how risky logins look; the fraud room provides it. */
export interface LoginRisk {
  /** Counts a failed login against the caller's address and the account, which is named by an id or a digest. */
  failed(account: string): Promise<void>;
  /** Looks at a login whose password was right. False when it is stopped: the caller must be told what a wrong password is told. */
  admits(login: LoginLook): Promise<boolean>;
}
export const LOGIN_RISK = Symbol('LOGIN_RISK');
