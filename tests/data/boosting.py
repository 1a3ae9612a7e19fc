"""Reference values for tests/test_models_boosting.py. Needs shap 0.51.0, xgboost-cpu 3.2.0, scikit-learn 1.9.1.

python tests/data/boosting.py
"""

from pathlib import Path

import numpy as np
import pandas as pd
import shap
import xgboost
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor

HERE = Path(__file__).parent
X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
model = HistGradientBoostingRegressor(max_iter=30, max_depth=5, learning_rate=0.3, max_leaf_nodes=None,
    min_samples_leaf=1, l2_regularization=1.0, early_stopping=False).fit(X, y)  # fmt: skip
explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
values = pd.DataFrame(explainer.shap_values(X.iloc[:25]), columns=X.columns).assign(
    base=float(np.ravel(explainer.expected_value)[0])
)
values.round(6).to_csv(HERE / "boosting.shap.csv", index=False)

booster = (
    xgboost.XGBRegressor(n_estimators=3, max_depth=3, learning_rate=0.3, reg_lambda=1).fit(X, y).get_booster()
)
types = ["weight", "gain", "cover", "total_gain", "total_cover"]
scores = pd.DataFrame({k: booster.get_score(importance_type=k) for k in types}).reindex(
    X.columns, fill_value=0
)
scores.to_csv(HERE / "boosting.xgboost.csv", float_format="%.10g")
