// Runs before the page is painted, so that a chosen theme does not flash.
import { applyTheme } from "./theme.js";

applyTheme();
