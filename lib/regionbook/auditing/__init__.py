"""Check printed tables against themselves: arithmetic that must hold whatever the data are.

The idea is that of statcheck for psychology (Nuijten et al. 2016, *Behavior Research Methods* 48, 1205–1226),
carried over to regression tables. Every check allows for rounding: a number printed as 0.0020 may be anything
from 0.00195 to 0.00205, and a finding is reported only if no such numbers fit. To add a check write a function
``check_…`` that takes a paper and yields findings into the file of its kind.
"""

from regionbook.auditing.entry import CHECKS, audit
from regionbook.auditing.paper import Paper
from regionbook.auditing.rounding import number
