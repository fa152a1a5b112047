import { localizePrices } from "./money.js";

localizePrices();
