"""Writes test/fixtures/logistic_regression.json: TF-IDF vectors and logistic regression by scikit-learn.

Run in the repository with scikit-learn: python3 test/parity/logistic_regression.py
"""

import json
import random

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

random.seed(7)
SUBJECTS = ["the team", "a bank", "the satellite", "our minister", "the striker", "this market", "a probe"]
VERBS = ["won", "rose", "launched", "signed", "scored", "fell", "orbited", "voted"]
OBJECTS = ["the cup", "its shares", "a mission", "a treaty", "two goals", "the index", "Mars", "the bill"]
texts = [f"{random.choice(SUBJECTS)} {random.choice(VERBS)} {random.choice(OBJECTS)} in {random.randint(10, 29)}" for _ in range(60)]
labels = [random.randint(0, 2) if random.random() < 0.2 else (len(text) + text.count("o")) % 3 for text in texts]

vectorizer = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\w{2,}")
vectors = vectorizer.fit_transform(texts)
fitted = {}
for c in (1, 10):
    model = LogisticRegression(C=c, tol=1e-10, max_iter=10000).fit(vectors, labels)
    fitted[str(c)] = {
        "bias": (model.intercept_ - model.intercept_.mean()).tolist(),
        "weights": {term: model.coef_[:, column].tolist() for term, column in vectorizer.vocabulary_.items() if term in ("the team", "mars", "in")},
        "predicted": model.predict(vectors).tolist(),
    }
row = vectors[0].tocoo()
names = vectorizer.get_feature_names_out()
with open("test/fixtures/logistic_regression.json", "w") as file:
    json.dump({
        "script": "test/parity/logistic_regression.py",
        "scikit-learn": sklearn.__version__,
        "texts": texts,
        "labels": labels,
        "terms": len(names),
        "first": {names[column]: value for column, value in zip(row.col.tolist(), row.data.tolist())},
        "fitted": fitted,
    }, file, indent=1)
    file.write("\n")
