import { ValidationProblem } from '../../platform/http/problem';
import { passwordProblem } from './password-rules';

/** 422 naming the field for a password that is easily guessed, also from what is known `about` its person. */
export function refuseWeakPassword(field: string, password: string, about: readonly string[]): void {
  const message = passwordProblem(password, about);
  if (message) throw new ValidationProblem([{ field, code: 'too_weak', message }]);
}
