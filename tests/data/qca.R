# Reference values of tests/test_models_qca.py: R's QCA 3.25.1 on data that it ships.
# LF: Lipset, calibrated (Rihoux and Ragin 2009). CVF: ethnic protest (Cebotari and Vink 2013).
# Usage: Rscript qca.R FOLDER
suppressMessages(library(QCA))
folder <- commandArgs(TRUE)[1]
rows <- list()
add <- function(...) rows[[length(rows) + 1]] <<- data.frame(...)
solutions <- function(set, data, outcome, cut, n, expect) {
  tt <- truthTable(data, outcome = outcome, incl.cut = cut, n.cut = n)
  at <- tt$tt[tt$tt$OUT != "?" | tt$tt$n > 0, ]
  for (i in rownames(at)) {
    term <- paste(at[i, tt$options$conditions], collapse = "")
    add(data = set, outcome = outcome, cut = cut, n = n, kind = "row", model = at[i, "n"], term = term,
        consistency = as.numeric(at[i, "incl"]), PRI = as.numeric(at[i, "PRI"]), coverage = NA, unique = NA, out = at[i, "OUT"])
  }
  name <- sub("~", "", outcome)
  if (name != outcome) data[[name]] <- 1 - data[[name]]
  keep <- function(kind, models) {
    for (m in seq_along(models)) {
      one <- pof(paste(models[[m]], collapse = " + "), name, data, relation = "sufficiency")$incl.cov
      for (r in rownames(one)) {
        label <- if (r == "expression") "solution" else r
        add(data = set, outcome = outcome, cut = cut, n = n, kind = kind, model = m, term = label, consistency = one[r, 1],
            PRI = one[r, 2], coverage = one[r, 3], unique = one[r, 4], out = NA)
      }
    }
  }
  keep("complex", minimize(tt)$solution)
  keep("parsimonious", minimize(tt, include = "?")$solution)
  inter <- minimize(tt, include = "?", dir.exp = expect)$i.sol
  found <- unique(lapply(do.call(c, lapply(inter, function(x) x$solution)), sort))
  keep("intermediate", unname(found))
}
data(LF); data(CVF)
LF[] <- lapply(LF, function(x) as.numeric(unclass(x))) # labels off
write.csv(LF, file.path(folder, "qca.lf.csv"), quote = FALSE)
write.csv(CVF, file.path(folder, "qca.cvf.csv"), quote = FALSE)
solutions("lf", LF, "SURV", 0.8, 1, "1,1,1,1,1")
solutions("lf", LF, "SURV", 0.7, 2, "1,1,1,1,1")
solutions("lf", LF, "~SURV", 0.6, 1, "0,0,0,0,0")
solutions("cvf", CVF, "PROTEST", 0.8, 1, "1,1,1,0,1")
solutions("cvf", CVF, "PROTEST", 0.9, 1, "1,1,1,1,0")
solutions("cvf", CVF, "~PROTEST", 0.8, 1, "0,0,0,0,0")
for (name in c("LF", "CVF")) {
  data <- get(name); outcome <- names(data)[ncol(data)]
  for (x in names(data)[-ncol(data)]) for (sign in c("", "~")) {
    v <- pof(paste0(sign, x), outcome, data, relation = "necessity")$incl.cov
    add(data = tolower(name), outcome = outcome, cut = NA, n = NA, kind = "necessity", model = NA, term = paste0(sign, x),
        consistency = v[1, "inclN"], PRI = v[1, "RoN"], coverage = v[1, "covN"], unique = NA, out = NA)
  }
}
x <- c(720, 1098, 586, 468, 590, 400, 550, 900)
m <- calibrate(x, type = "fuzzy", thresholds = c(400, 550, 900))
for (i in seq_along(x)) add(data = "calibrate", outcome = x[i], cut = NA, n = NA, kind = "400 550 900", model = NA, term = "", consistency = m[i], PRI = NA, coverage = NA, unique = NA, out = NA)
m <- calibrate(x, type = "fuzzy", thresholds = c(900, 550, 400))
for (i in seq_along(x)) add(data = "calibrate", outcome = x[i], cut = NA, n = NA, kind = "900 550 400", model = NA, term = "", consistency = m[i], PRI = NA, coverage = NA, unique = NA, out = NA)
rows <- do.call(rbind, rows)
for (k in c("consistency", "PRI", "coverage", "unique")) rows[[k]] <- signif(rows[[k]], 9)
write.csv(rows, file.path(folder, "qca.csv"), row.names = FALSE, na = "", quote = FALSE)
