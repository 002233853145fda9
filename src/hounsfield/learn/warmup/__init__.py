"""What a network has learned before it sees its first answer.

Enters: training images, images without answers, or the weights of another encoder from a local file.
Leaves: a network whose encoder is warm and whose heads are fresh, for any learner to fit.
"""
