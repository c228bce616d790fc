/** What checks options as the API checks fields, loaded when one is given (`optionSchemas`). */
export { newEmailText } from '../auth/registration/registration.dto';
export { feedSource } from '../fraud/lists/lists.dto';
export { backtestBody } from '../fraud/rules/rules.dto';
export { toFieldErrors, visibleText } from '../platform/http/validation';
